import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.stack import supervisor
from forgesyte_launcher.stack.process import ProcessSpec, spawn
from forgesyte_launcher.stack.supervisor import Backoff, Care, describe_exit, supervise
from tests.support import alive, eventually

SLEEPS = "import time; print('ready', flush=True); time.sleep(600)"
QUICK = Care(Backoff(first_s=0.01, most_s=0.05))


def a_spec(folder: Path, code: str = SLEEPS, **changes) -> ProcessSpec:
    return ProcessSpec("child", (sys.executable, "-c", code), folder / "child.log", **changes)


async def running(child) -> int:
    return await eventually(lambda: child.pid, what="the child runs")


async def test_a_killed_child_is_started_again(tmp_path):
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group, care=QUICK) as child:
        first = await running(child)

        os.kill(first, signal.SIGKILL)

        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")
        assert child.pid != first
        assert child.exit_status == -signal.SIGKILL


async def test_no_process_is_left_after_the_block(tmp_path):
    async with asyncio.TaskGroup() as group:
        async with supervise(a_spec(tmp_path), group) as child:
            process = psutil.Process(await running(child))

        assert not alive([process])
        assert child.pid is None


async def test_no_process_is_left_when_the_block_fails(tmp_path):
    seen: list[psutil.Process] = []

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group) as child:
            seen.append(psutil.Process(await running(child)))
            raise ValueError("from the block")

    assert caught.group_contains(ValueError, match="from the block")
    assert not alive(seen)


async def test_no_process_is_left_when_everything_is_cancelled(tmp_path):
    seen: list[psutil.Process] = []

    async def supervised() -> None:
        async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group) as child:
            seen.append(psutil.Process(await running(child)))
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as outside:
        task = outside.create_task(supervised())
        await eventually(lambda: seen, what="the child runs")
        task.cancel()

    assert not alive(seen)


async def test_a_child_that_keeps_dying_does_not_hold_up_the_stop(tmp_path):
    slow = Care(Backoff(first_s=600, most_s=600))
    spec = a_spec(tmp_path, "raise SystemExit(3)")
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=slow) as child:
        await eventually(lambda: child.exit_status == 3, what="the first life ended")

    assert child.starts == 1


async def test_a_failed_start_is_reported_with_the_last_lines_of_the_log(tmp_path):
    code = "import sys; sys.exit('there is no such colour')"
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path, code), group, care=QUICK) as child:
        await eventually(lambda: child.exit_status, what="the first life ended")

        with pytest.raises(ForgeSyteError, match=r"(?s)ended with status 1.*no such colour") as caught:
            child.require_first_life()

    assert "child.log" in caught.value.detail


async def test_a_child_that_the_machine_cannot_start_again_is_tried_until_it_can(tmp_path, monkeypatch):
    """As when a plugin has used up the machine's processes: everything else on this machine must live on."""
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    spec = replace(a_spec(tmp_path), command=(str(program), "-c", SLEEPS))
    tries = 0

    async def counted(spec):
        nonlocal tries
        tries += 1
        return await spawn(spec)

    monkeypatch.setattr(supervisor, "spawn", counted)
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=QUICK) as child:
        first = await running(child)
        program.rename(tmp_path / "away")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: tries > 3, what="it is tried again and again")
        assert child.starts == 1

        (tmp_path / "away").rename(program)
        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")


async def test_a_clean_up_that_fails_does_not_keep_a_child_from_its_next_life(tmp_path):
    def fails() -> None:
        raise BlockingIOError("there is no thread, process or descriptor left")

    care = replace(QUICK, clean_up=fails)
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group, care=care) as child:
        os.kill(await running(child), signal.SIGKILL)

        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")


async def test_a_clean_up_that_got_no_thread_never_meets_the_next_life(tmp_path, monkeypatch):
    """The executor queues the work before it looks for a thread, so the work is done later all the same."""
    queued, cleaned = [], []

    async def without_a_thread(work):
        queued.append(work)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(supervisor.asyncio, "to_thread", without_a_thread)
    care = replace(QUICK, clean_up=lambda: cleaned.append(1))
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group, care=care) as child:
        os.kill(await running(child), signal.SIGKILL)
        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")
        queued[0]()

    assert cleaned == []


async def test_a_missing_program_is_reported_to_those_who_wait_for_its_first_life(tmp_path):
    spec = ProcessSpec("child", ("/nonexistent/program",), tmp_path / "log")

    async def report() -> str | None:
        try:
            child.require_first_life()
        except ForgeSyteError as error:
            return error.detail
        return None

    async with asyncio.TaskGroup() as group, supervise(spec, group, care=QUICK) as child:
        detail = await eventually(report, what="the reason")

    assert "child cannot be started: " in detail
    assert "/nonexistent/program" in detail


@pytest.mark.parametrize(
    ("wait_s", "alive_s", "expected_s"),
    [
        pytest.param(0.1, 0.0, 0.2, id="doubles after a short life"),
        pytest.param(8.0, 0.0, 10.0, id="stops growing at the most"),
        pytest.param(10.0, 31.0, 0.1, id="starts from the shortest after a steady life"),
    ],
)
def test_backoff(wait_s, alive_s, expected_s):
    assert Backoff().after(wait_s, alive_s=alive_s) == expected_s


@pytest.mark.parametrize(
    ("status", "words"),
    [(-9, "was killed by signal 9"), (0, "ended with status 0"), (3, "ended with status 3")],
)
def test_exits_are_described_in_words(status, words):
    assert describe_exit(status) == words


async def test_a_child_that_is_replaced_gets_time_to_end_and_is_no_death(tmp_path):
    deaths = []
    code = f"import signal; signal.signal(signal.SIGTERM, lambda *_: exit(7)); {SLEEPS}"
    care = replace(QUICK, on_death=deaths.append)
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path, code), group, care=care) as child:
        await running(child)
        await eventually(lambda: "ready" in (tmp_path / "child.log").read_text(), what="it has its handler")

        child.replace("the test wants it")

        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")
        assert child.exit_status == 7
        assert deaths == []


async def test_what_must_be_there_is_prepared_before_each_life(tmp_path):
    made = []
    care = replace(QUICK, prepare=lambda: made.append(1))
    async with asyncio.TaskGroup() as group, supervise(a_spec(tmp_path), group, care=care) as child:
        os.kill(await running(child), signal.SIGKILL)
        await eventually(lambda: child.starts == 2, what="the second life")

    assert len(made) == 2


async def test_a_child_that_is_replaced_and_does_not_end_is_killed_after_replace_grace_s(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "REPLACE_GRACE_S", 0.1)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
    spec = a_spec(tmp_path, code, grace_s=600)
    async with asyncio.TaskGroup() as group, supervise(spec, group, care=QUICK) as child:
        await running(child)
        await eventually(lambda: "ready" in spec.log_file.read_text(), what="it ignores the signal")

        child.replace("the test wants it")

        await eventually(lambda: child.starts == 2 and child.pid, what="the second life")
        assert child.exit_status == -signal.SIGKILL
        os.kill(child.pid, signal.SIGKILL)  # else the end of the test would wait for it
        child.stop()

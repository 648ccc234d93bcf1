"""run_service in real child processes, told to stop by real signals."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest

FRAME = """
import asyncio, sys
from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_chassis.settings import ServiceSettings
from forgesyte_contracts.problems import Code, ForgeSyteError

def say(word):
    print(word, flush=True)

{body}

sys.exit(run_service(main, name="sample", settings=ServiceSettings(log_format="json", drain_s={drain_s})))
"""

WAITS_FOR_THE_SIGNAL = """
async def main(lifetime):
    say("up")
    await lifetime.stopping.wait()
    say("draining")
"""

NEVER_DRAINS = """
async def main(lifetime):
    say("up")
    await lifetime.stopping.wait()
    say("draining")
    try:
        await asyncio.Event().wait()
    finally:
        say("cancelled")
"""


@asynccontextmanager
async def a_service(body, *, drain_s=30, opens="", output=asyncio.subprocess.PIPE):
    code = opens + FRAME.format(body=body, drain_s=drain_s)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdin=asyncio.subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def heard(child, word):
    async with asyncio.timeout(60):
        assert (await child.stdout.readline()).decode().strip() == word


async def ended(child):
    """The exit code, the rest of stdout in words, and the events of the log."""
    async with asyncio.timeout(60):
        out, err = await child.communicate()
    return child.returncode, out.decode().split(), [json.loads(line)["event"] for line in err.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_signal_starts_the_drain_and_the_exit_code_is_0(number):
    async with a_service(WAITS_FOR_THE_SIGNAL) as child:
        await heard(child, "up")
        child.send_signal(number)

        assert await ended(child) == (0, ["draining"], ["stopping"])


async def test_a_second_signal_within_the_drain_leaves_at_once():
    async with a_service(NEVER_DRAINS) as child:
        await heard(child, "up")
        child.send_signal(signal.SIGTERM)
        await heard(child, "draining")
        child.send_signal(signal.SIGTERM)

        code, words, events = await ended(child)

    assert code == 128 + signal.SIGTERM
    assert words == []  # no finally was run
    assert events == ["stopping", "second signal, leaving at once"]


async def test_a_terminal_that_closes_may_send_sighup_twice_and_the_drain_goes_on():
    body = """
async def main(lifetime):
    say("up")
    await lifetime.stopping.wait()
    say("draining")
    await asyncio.to_thread(sys.stdin.readline)
    say("drained")
"""
    async with a_service(body) as child:
        await heard(child, "up")
        child.send_signal(signal.SIGHUP)
        await heard(child, "draining")
        child.send_signal(signal.SIGHUP)
        child.stdin.write(b"\n")

        assert await ended(child) == (0, ["drained"], ["stopping"])


async def test_sighup_of_a_terminal_that_is_gone_drains_although_nothing_can_be_written_to_it(tmp_path):
    body = f"""
async def main(lifetime):
    say("up")
    await lifetime.stopping.wait()
    say("draining")
    with open({str(tmp_path / "drained")!r}, "w"):
        pass
"""
    ours, terminals = os.openpty()
    # A leader of a session takes the first terminal that it opens for its own.
    opens = f"import os; os.open({os.ttyname(terminals)!r}, os.O_RDWR)\n"
    async with a_service(body, opens=opens, output=terminals) as child:
        os.close(terminals)
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            assert terminal.readline() == b"up\r\n"

        async with asyncio.timeout(60):
            assert await child.wait() == 0
    assert (tmp_path / "drained").exists()


async def test_under_nohup_a_sighup_stays_ignored():
    body = f"import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does\n{WAITS_FOR_THE_SIGNAL}"
    async with a_service(body) as child:
        await heard(child, "up")
        child.send_signal(signal.SIGHUP)
        child.send_signal(signal.SIGTERM)

        out, err = await child.communicate()

    assert (child.returncode, out) == (0, b"draining\n")
    assert [json.loads(line)["signal"] for line in err.splitlines()] == ["SIGTERM"]


async def test_a_service_that_returns_ends_with_0_and_its_tasks_are_cancelled():
    body = """
async def endless():
    try:
        await asyncio.Event().wait()
    finally:
        say("task cancelled")

async def main(lifetime):
    lifetime.group.create_task(endless())
    await asyncio.sleep(0)
    say("returned")
"""
    async with a_service(body) as child:
        assert await ended(child) == (0, ["returned", "task", "cancelled"], [])


async def test_stop_from_inside_is_the_same_as_a_signal():
    body = """
async def main(lifetime):
    lifetime.stop()
    lifetime.stop()
    await lifetime.stopping.wait()
    say("stopped")
"""
    async with a_service(body) as child:
        assert await ended(child) == (0, ["stopped"], [])


async def test_a_task_that_fails_ends_the_service_with_1_and_one_line():
    body = """
async def broken():
    raise RuntimeError("boom")

async def main(lifetime):
    lifetime.group.create_task(broken())
    await lifetime.stopping.wait()
"""
    async with a_service(body) as child:
        assert await ended(child) == (1, [], ["service failed"])


async def test_an_expected_failure_is_told_without_a_traceback():
    body = """
async def main(lifetime):
    raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "the bus is unavailable", plugin="p")
"""
    async with a_service(body) as child:
        async with asyncio.timeout(60):
            _, err = await child.communicate()

    line = json.loads(err)
    assert child.returncode == 1
    assert (line["code"], line["detail"], line["plugin"]) == ("SERVICE_UNAVAILABLE", "the bus is unavailable", "p")
    assert "exception" not in line


@pytest.mark.slow
async def test_a_drain_beyond_its_limit_is_cancelled_and_the_exit_code_is_1():
    body = "import forgesyte_chassis.main as m\nm.DRAIN_MARGIN_S = 0.1\n" + NEVER_DRAINS
    async with a_service(body, drain_s=0) as child:
        await heard(child, "up")
        child.send_signal(signal.SIGTERM)

        assert await ended(child) == (1, ["draining", "cancelled"], ["stopping", "drain limit reached"])


@pytest.mark.slow
async def test_a_task_that_ignores_its_cancellation_is_left_behind():
    body = """
import forgesyte_chassis.main as m
m.DRAIN_MARGIN_S = 0.1

async def main(lifetime):
    say("up")
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            say("ignored")
"""
    async with a_service(body, drain_s=0) as child:
        await heard(child, "up")
        child.send_signal(signal.SIGTERM)

        code, words, _ = await ended(child)

    assert (code, words) == (1, ["ignored"])


async def test_the_loop_is_uvloop():
    body = """
async def main(lifetime):
    say(type(asyncio.get_running_loop()).__module__)
"""
    async with a_service(body) as child:
        assert await ended(child) == (0, ["uvloop"], [])

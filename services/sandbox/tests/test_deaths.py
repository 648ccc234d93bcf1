"""Crashes and hangs: real processes, real signals."""

import asyncio
import os
import signal

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.specs import JobSpec
from tests.support import eventually

from .conftest import LIMITS


@pytest.mark.parametrize(
    ("fault", "how", "code"),
    [
        pytest.param("exit-0", "exited with code 0", 0, id="os._exit(0) is no success"),
        pytest.param("exit-3", "exited with code 3", 3, id="os._exit(3)"),
        pytest.param("segfault", "SIGSEGV", -signal.SIGSEGV, id="segfault"),
        pytest.param("abort", "SIGABRT", -signal.SIGABRT, id="abort"),
    ],
)
async def test_a_death_is_crashed_with_its_signal_or_exit_code(bench, fault, how, code):
    told = await bench.fault(fault)

    outcome = told.outcome
    assert (outcome.kind, outcome.code, outcome.frame) == ("crashed", Code.PLUGIN_CRASH, 2)
    assert f"{how} at frame 2" in outcome.error
    assert outcome.exit_code == code
    assert [row["frame_index"] for row in told.rows] == [0, 1]


async def test_the_step_of_a_run_that_ended_may_still_be_asked_for_and_is_none(bench):
    told_how = []
    options = {"misbehave": {"fault": "segfault", "at": 2}}
    spec = JobSpec("sandbox_plugins:Faulty", ["misbehave"], str(bench.clip), "job-1", options=options)

    outcome = await bench.zygote.run(Order(spec, limits=LIMITS, on_watch=told_how.append))

    assert outcome.kind == "crashed"
    assert told_how[-1]() is None


async def test_a_segfault_leaves_its_python_frames_in_the_log_tail(bench):
    told = await bench.fault("segfault")

    assert "Current thread" in told.outcome.log_tail
    assert "Extension modules" not in told.outcome.log_tail, "thousands of bytes about nothing"


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["loop", "regex", "ignore-sigterm", "sleep-in-c", "stop-itself"])
async def test_a_hang_is_a_timeout_after_the_frame_limit(bench, fault, survivors):
    told = await bench.fault(fault, frame_timeout_s=2)

    outcome = told.outcome
    assert (outcome.kind, outcome.code, outcome.frame) == ("timeout", Code.PLUGIN_TIMEOUT, 2)
    assert "limit of 2 s at frame 2" in outcome.error
    assert outcome.execution_time_ms > 2000
    assert survivors(bench.homes) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "limits", "step"),
    [
        pytest.param(-1, {"frame_timeout_s": 2}, "prepare()", id="prepare"),
        pytest.param(-2, {"finalize_timeout_s": 0.5}, "finalize()", id="finalize"),
        pytest.param(2, {"job_timeout_s": 1}, "the job took longer than its limit of 1 s", id="the whole job"),
    ],
)
async def test_each_step_has_its_limit(bench, at, limits, step):
    told = await bench.fault("loop", at=at, **limits)

    assert told.outcome.kind == "timeout"
    assert step in told.outcome.error


@pytest.mark.slow
async def test_a_hang_in_load_is_a_timeout_after_the_load_limit(bench):
    from forgesyte_sandbox.shared.limits import Limits

    told = await bench.job("HangsAtLoad", limits=Limits(load_timeout_s=0.5))

    assert (told.outcome.kind, told.outcome.frame) == ("timeout", None)
    assert "loading the plugin" in told.outcome.error


async def test_kill_9_of_a_sandbox_is_crashed_by_sigkill(bench):
    told = bench.told()
    running = asyncio.Event()

    def on_message(message):
        if isinstance(message, messages.Row):
            running.set()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(
            bench.job("Faulty", ("misbehave",), told=told, on_message=on_message, options=hang_at(2))
        )
        await running.wait()
        os.kill(told.pid, signal.SIGKILL)

    assert run.result().outcome.kind == "crashed"
    assert "SIGKILL" in run.result().outcome.error


@pytest.mark.slow
async def test_a_slow_reader_is_waited_for_and_counts_against_no_step(bench):
    from forgesyte_sandbox.shared.limits import Limits

    rows, never = [], asyncio.get_running_loop().create_future()

    async def on_message(message):
        # 12 rows of 256 KiB do not fit the pipe: the child blocks in its write for longer than a frame may take.
        if isinstance(message, messages.Row):
            rows.append(message.frame_index)
            if message.frame_index == 2:
                await asyncio.wait([never], timeout=2.5)

    told = await bench.job("Large", ("large",), on_message=on_message, limits=Limits(frame_timeout_s=2))

    assert told.outcome.ok, told.outcome
    assert rows == list(range(12))


async def test_cancel_of_a_hang_kills_at_once(bench, survivors):
    told, cancel = bench.told(), asyncio.Event()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.fault("ignore-sigterm", told=told, cancel=cancel))
        await eventually(lambda: len(told.rows) == 2)
        cancel.set()

    assert (run.result().outcome.kind, run.result().outcome.code) == ("cancelled", Code.CANCELLED)
    assert survivors(bench.homes) == []


async def test_a_cancelled_caller_leaves_nothing_alive(bench, survivors):
    told = bench.told()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.fault("ignore-sigterm", told=told))
        await eventually(lambda: len(told.rows) == 2)
        run.cancel()

    assert run.cancelled()
    assert survivors(bench.homes) == []


async def test_of_two_runs_one_dies_and_the_other_is_untouched(bench):
    async with asyncio.TaskGroup() as group:
        dies = group.create_task(bench.fault("segfault"))
        lives = group.create_task(bench.job())

    assert dies.result().outcome.kind == "crashed"
    assert lives.result().outcome.ok
    assert len(lives.result().rows) == 12


def hang_at(frame):
    return {"misbehave": {"fault": "loop", "at": frame}}

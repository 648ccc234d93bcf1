"""Runner, bus and other processes die in mid-job: every job ends once, with the right rows and the reasons."""

import asyncio
import time

import psutil
import pytest

from forgesyte_contracts.jobs import AttemptOutcome
from tests.support import alive, eventually

from .test_jobs import assert_right, outcomes


@pytest.mark.slow
async def test_kill_9_of_the_runner_in_mid_job_and_a_second_runner_completes_it(box, clip, gate):
    first = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    tree = first.tree()

    first.kill()

    await eventually(lambda: not alive(tree), what="zygote and sandbox died with it")
    second = box.start_runner()
    gate.open()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SURROUNDINGS, AttemptOutcome.SUCCEEDED]
    assert record.attempts[0].runner_id != record.attempts[1].runner_id
    assert await second.drained() == 0
    assert not list(box.scratch.glob("*/*")), "the second life swept what the first one left"


async def test_a_drain_past_its_limit_releases_the_job_and_a_second_runner_completes_it(box, clip, gate):
    first = box.start_runner(drain_s=0.5)
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    tree = first.tree()

    code = await first.drained()

    assert code == 0, first.log.read_text()
    assert not alive(tree)
    assert not list(box.scratch.glob("*/*"))
    async with box.bus.runners.watch() as view:
        assert view.living() == {}
    released = await box.record(job_id)
    assert (released.owner, outcomes(released)) == (None, [AttemptOutcome.RELEASED])
    gate.open()
    box.start_runner()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]


async def test_a_drain_lets_a_running_job_finish(box, clip, gate):
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    async with asyncio.TaskGroup() as group:
        draining = group.create_task(runner.drained())

        async def says_so() -> bool:
            async with box.bus.runners.watch() as view:
                return any(beat.draining for beat in view.living().values())

        await eventually(says_so, what="the heartbeat says draining")
        gate.open()

    assert draining.result() == 0
    await assert_right(box, await box.record(job_id))


async def test_nats_server_restarted_in_mid_job_ends_the_job_in_its_first_attempt(box, clip, gate):
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    box.nats.kill()
    gate.open()
    await box.nats.start()

    await eventually(lambda: box.bus.is_connected, what="the bus is back")
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]
    assert runner.process.poll() is None


@pytest.mark.long
@pytest.mark.filterwarnings(
    # The test's own NATS client forgets the sockets it tried while the server stood still.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
async def test_a_bus_that_stands_still_for_longer_than_ack_wait_costs_a_living_owner_nothing(box, clip, gate):
    box.start_runner(slots=2)
    box.start_runner(slots=2)
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    box.nats.pause()
    end_s = time.monotonic() + 2 + box.bus.ack_wait_s
    gate.open()
    await eventually(lambda: time.monotonic() > end_s, what="longer than ack_wait")
    box.nats.resume()

    await eventually(lambda: box.bus.is_connected, what="the bus is back")
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]


async def test_a_zygote_killed_in_mid_job_costs_its_job_neither_an_attempt_nor_a_death(box, clip, gate):
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    sandbox = psutil.Process(await gate.reached())
    zygote = sandbox.parent()
    assert zygote is not None
    assert zygote.ppid() == runner.pid

    zygote.kill()

    await eventually(lambda: not alive([sandbox]), what="the sandbox died with its zygote")
    gate.open()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SURROUNDINGS, AttemptOutcome.SUCCEEDED]
    assert (record.deaths_without_checkpoint, record.attempts_spared, record.is_suspect) == (0, 1, False)


async def test_a_redelivery_to_the_owner_is_adopted_and_starts_nothing(box, clip, gate):
    runner = box.start_runner(slots=2)
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    await box.hand_out_again()

    await eventually(lambda: "redelivery adopted" in runner.log.read_text(), what="the new handle is taken")
    gate.open()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]


async def test_a_fenced_attempt_is_killed_and_says_nothing_more(box, clip, gate):
    """Another runner took the job over: what this one still has is discarded, and the message is left alone."""
    runner = box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    sandbox = [process for process in runner.tree() if not process.children()]

    await box.take_over(job_id, "another-runner")

    await eventually(lambda: not alive(sandbox), what="the fenced sandbox is dead")
    assert not await box.is_acknowledged(job_id)
    record = await box.record(job_id)
    assert (record.owner, record.attempt) == ("another-runner", 2)
    assert outcomes(record) == [AttemptOutcome.SURROUNDINGS, None]

"""A cancel at each step of an attempt: the rows that are here are committed, and the counts are those of the rows."""

import asyncio

import pytest

from forgesyte_chassis.bus import Records
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from forgesyte_plugin_runner import dispatch
from forgesyte_plugin_runner.attempt import attempt, ending
from forgesyte_sandbox.shared.messages import Row, Started
from tests.support import eventually

from .inside import a_runner, ten_rows
from .test_drains import Step
from .test_faults import assert_ten_rows, ended, released, submit
from .test_jobs import outcomes
from .test_next_attempts import CRASHED


@pytest.fixture
def step() -> Step:
    return Step()


async def seven_rows_and_no_end(say):
    await say(Started("h264", 10, 10))
    for index in range(7):
        await say(Row(index, b'{"frame_index":%d,"detections":""}' % index))
    await asyncio.Event().wait()


async def assert_cancelled(box, job_id, rows):
    record = await ended(box, job_id)
    assert (record.status, outcomes(record)) == (JobStatus.CANCELLED, [AttemptOutcome.CANCELLED])
    assert (record.summary.frame_count, record.current_frame, record.attempts[0].frame) == (rows, rows, rows)
    assert len(await box.rows(job_id)) == rows
    await eventually(lambda: box.is_acknowledged(job_id), what="the message is acknowledged")


async def seven_taken(inside):
    await eventually(lambda: any(job._state.frames_done == 7 for job in inside.jobs.values()), 60, "7 rows are here")


async def test_rows_that_no_checkpoint_had_written_are_in_the_result(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path, seven_rows_and_no_end, checkpoint_every_s=3600) as inside:
        job_id = await submit(box)
        await seven_taken(inside)
        assert await box.cancel(job_id)
        await assert_cancelled(box, job_id, 7)


async def test_a_store_that_hangs_costs_the_last_rows_and_not_the_cancel(box, tmp_path, step, monkeypatch):
    monkeypatch.setattr(attempt, "LAST_ROWS_S", 0.05)
    async with a_runner(box.nats.url, tmp_path, seven_rows_and_no_end, checkpoint_every_s=3600) as inside:
        monkeypatch.setattr(inside.opened.store, "create", step.before(inside.opened.store.create))
        job_id = await submit(box)
        await seven_taken(inside)
        assert await box.cancel(job_id)
        await assert_cancelled(box, job_id, 0)
        step.may_go_on.set()


async def test_a_store_that_hangs_does_not_keep_a_draining_runner_from_giving_its_job_back(
    box, tmp_path, step, monkeypatch
):
    monkeypatch.setattr(attempt, "LAST_ROWS_S", 0.05)
    settings = {"checkpoint_every_s": 3600, "drain_s": 0}
    async with a_runner(box.nats.url, tmp_path, seven_rows_and_no_end, **settings) as inside:
        monkeypatch.setattr(inside.opened.store, "create", step.before(inside.opened.store.create))
        job_id = await submit(box)
        await seven_taken(inside)
        inside.terminate()
        await released(box, job_id)
        step.may_go_on.set()


async def test_during_the_fetch_of_the_media(box, tmp_path, step, monkeypatch):
    async with a_runner(box.nats.url, tmp_path) as inside:
        monkeypatch.setattr(inside.opened.store, "fetch_to", step.before(inside.opened.store.fetch_to))
        job_id = await submit(box)
        await step.reached.wait()
        assert await box.cancel(job_id)
        await assert_cancelled(box, job_id, 0)

    assert inside.script.runs == 0


async def test_while_the_result_is_being_written(box, tmp_path, step, monkeypatch):
    monkeypatch.setattr(ending, "write_result", step.before(ending.write_result))
    async with a_runner(box.nats.url, tmp_path):
        job_id = await submit(box)
        await step.reached.wait()
        assert await box.cancel(job_id)
        await assert_cancelled(box, job_id, 10)


async def test_a_job_whose_ending_was_written_elsewhere_stays_as_it_is(box, tmp_path):
    """job-api did not wait any longer; what this runner still has is not in the record, and is not read."""
    async with a_runner(box.nats.url, tmp_path, seven_rows_and_no_end, checkpoint_every_s=3600) as inside:
        job_id = await submit(box)
        await seven_taken(inside)
        await box.cancel_silently(job_id)
        assert await box.cancel(job_id)
        await eventually(lambda: not inside.jobs, what="the attempt is over")
        await assert_cancelled(box, job_id, 0)
        assert inside.runner._backoff.in_a_row == 0


async def test_a_job_between_two_attempts_is_not_this_runner_s_to_cancel(box, tmp_path, step, monkeypatch):
    """It has no owner then, so job-api writes the ending; the next claim finds it."""

    async def plan(say):
        return CRASHED if inside.script.runs == 1 else await ten_rows(say)

    async with a_runner(box.nats.url, tmp_path, plan) as inside:
        real = dispatch.claim
        monkeypatch.setattr(
            dispatch, "claim", lambda *a, **k: step.before(real)(*a, **k) if inside.script.runs else real(*a, **k)
        )
        job_id = await submit(box)
        await step.reached.wait()
        assert not await box.bus.control.request_cancel(job_id, tries=1, timeout_s=0.05)
        await box.cancel_silently(job_id)
        step.may_go_on.set()
        record = await ended(box, job_id)
        await eventually(lambda: box.is_acknowledged(job_id), what="the message is acknowledged")

    assert (record.status, outcomes(record)) == (JobStatus.CANCELLED, [AttemptOutcome.CRASHED])
    assert (record.current_frame, record.summary.frame_count) == (0, 0)
    assert inside.script.runs == 1


async def test_a_cancel_while_a_death_is_being_written_reaches_the_next_attempt(box, tmp_path, step, monkeypatch):
    """An attempt that agreed to it and then wrote its death would let the job run on until job-api loses patience."""

    async def plan(say):
        return CRASHED if inside.script.runs == 1 else await seven_rows_and_no_end(say)

    monkeypatch.setattr(moves, "died", lambda *a, real=moves.died: in_hand.append(a) or real(*a))
    in_hand = []
    async with a_runner(box.nats.url, tmp_path, plan) as inside:
        real = Records.change

        async def late(records, *a, **k):
            written = await real(records, *a, **k)
            if in_hand and not step.reached.is_set():
                step.reached.set()
                await step.may_go_on.wait()
            return written

        monkeypatch.setattr(Records, "change", late)
        job_id = await submit(box)
        await step.reached.wait()
        is_agreed = await box.bus.control.request_cancel(job_id, tries=1, timeout_s=0.05)
        step.may_go_on.set()
        assert not is_agreed
        await seven_taken(inside)
        assert await box.cancel(job_id)
        record = await ended(box, job_id)

    assert (record.status, outcomes(record)) == (
        JobStatus.CANCELLED,
        [AttemptOutcome.CRASHED, AttemptOutcome.CANCELLED],
    )
    assert record.summary.frame_count == len(await box.rows(job_id)) == 7


async def test_a_job_that_has_just_completed_is_not_cancelled(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path):
        record = await ended(box, await submit(box))
        await box.bus.control.request_cancel(record.job_id, tries=1, timeout_s=0.05)

    await assert_ten_rows(box, await box.record(record.job_id))

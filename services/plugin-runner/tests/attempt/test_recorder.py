"""The recorder against a real bus: who may write, what it notices, what is written twice."""

import asyncio
from datetime import UTC, datetime

import pytest

from forgesyte_chassis.bus import RecordUnwritable
from forgesyte_chassis.clock import SystemClock
from forgesyte_contracts import moves
from forgesyte_contracts.ids import RunnerId, new_job_id
from forgesyte_contracts.jobs import MAX_WARNINGS, AttemptOutcome, JobRecord, JobStatus
from forgesyte_contracts.moves import Fenced
from forgesyte_contracts.warnings import JobWarning
from forgesyte_plugin_runner.attempt.delivery_hold import DeliveryHold
from forgesyte_plugin_runner.attempt.recorder import Recorder
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_plugin_runner.stopping import Stop, StopReason
from tests.support import eventually

ME = RunnerId("me")


def now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """One claimed job and the recorder of its attempt."""

    def __init__(self, bus, stored, delivery) -> None:
        clock = SystemClock()
        self.bus = bus
        self.job_id = stored.record.job_id
        self.stop = Stop()
        self.state = AttemptState(stored.record)
        self.hold = DeliveryHold(delivery, clock, 10.0)
        self.recorder = Recorder(
            bus.jobs, stored, state=self.state, hold=self.hold, stop=self.stop, clock=clock, every_s=1.0
        )

    async def change(self, move) -> None:
        await self.bus.jobs.change(self.job_id, move)


@pytest.fixture
async def desk(box) -> Desk:
    moment = now()
    record = JobRecord(job_id=new_job_id(), plugin_id="probe", tools=("gate",), created_at=moment, updated_at=moment)
    await box.bus.jobs.create(record)
    await box.bus.work.publish(record.job_id, "probe", "cpu")
    delivery = await box.bus.work.pull("probe", "cpu", wait_s=20)
    stored = await box.bus.jobs.change(record.job_id, lambda known: moves.claimed(known, ME, now()))
    return Desk(box.bus, stored, delivery)


async def test_an_ending_written_twice_is_written_once(desk):
    """A write whose answer was lost may have landed; its repetition must not look like fencing."""
    move = lambda record, moment: moves.died(record, AttemptOutcome.CRASHED, 3, "it fell", moment)  # noqa: E731

    first = await desk.recorder.close(AttemptOutcome.CRASHED, move)
    second = await desk.recorder.close(AttemptOutcome.CRASHED, move)

    assert first == second
    assert desk.stop.reason is None
    assert second.deaths_without_checkpoint == 1


async def test_a_cancel_is_found_by_the_next_write(desk):
    await desk.change(lambda record: moves.cancelled(record, now()))

    with pytest.raises(Fenced):
        await desk.recorder.flush()

    assert desk.stop.reason is StopReason.ENDED
    assert desk.recorder.ended is not None
    assert desk.recorder.ended.status is JobStatus.CANCELLED


async def test_a_take_over_is_found_by_the_next_read(desk):
    await desk.change(lambda record: moves.claimed(record, RunnerId("another"), now()))

    await desk.recorder.look()

    assert desk.stop.reason is StopReason.FENCED


async def test_a_record_that_was_removed_ends_the_attempt(desk):
    await desk.bus.jobs.purge(desk.job_id)

    with pytest.raises(Fenced):
        await desk.recorder.flush()

    assert desk.stop.reason is StopReason.ENDED


async def test_a_write_keeps_the_hold_fresh_and_carries_the_state(desk):
    desk.state.warn(JobWarning(text="something odd"))

    record = await desk.recorder.flush()

    assert record.warnings == (JobWarning(text="something odd"),)
    assert desk.hold.untouched_s < 10


async def test_a_frame_done_while_progress_is_being_written_is_no_reason_for_another_write(box, desk):
    desk.recorder._policy.every_s = 3600
    desk.state._total, desk.state.frames_done, desk.state._reached = 100, 5, 5

    async with asyncio.TaskGroup() as group:
        box.nats.pause()
        group.create_task(desk.recorder.flush())
        await eventually(desk.recorder._lock.locked)
        desk.state.frames_done = desk.state._reached = 6
        desk.recorder.notice()
        is_due = desk.recorder._due.is_set()
        box.nats.resume()

    assert not is_due
    desk.state.frames_done = desk.state._reached = 10
    desk.recorder.notice()
    assert desk.recorder._due.is_set()


async def test_no_write_carries_more_new_warnings_than_a_record_holds(desk, monkeypatch):
    """Watchers receive what each record has beyond the one before: what never was in a record never reaches them."""
    seen: set[str] = set()
    change = desk.bus.jobs.change

    async def change_and_see(*args, **kwargs):
        stored = await change(*args, **kwargs)
        seen.update(warning.text for warning in stored.record.warnings)
        return stored

    monkeypatch.setattr(desk.bus.jobs, "change", change_and_see)
    monkeypatch.setattr(
        "forgesyte_plugin_runner.attempt.live.warning_backpressure.ROOM_LIMIT_S", 60
    )  # a slow disk is not the point here
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(desk.recorder.run())
        for number in range(300):
            await desk.recorder.warnings.let_through()
            desk.state.warn(JobWarning(text=f"warning {number}"))
            desk.recorder.notice()
        await eventually(lambda: len(seen) == 300, what="every warning was in a record once")
        writing.cancel()


async def test_an_unavailable_bus_makes_one_warning_wait_and_not_each(box, desk, monkeypatch):
    monkeypatch.setattr("forgesyte_plugin_runner.attempt.live.warning_backpressure.ROOM_LIMIT_S", 0.01)
    for number in range(MAX_WARNINGS):
        desk.state.warn(JobWarning(text=f"warning {number}"))

    await desk.recorder.warnings.let_through()
    with monkeypatch.context() as patch:
        patch.setattr("forgesyte_plugin_runner.attempt.live.warning_backpressure.ROOM_LIMIT_S", 3600)
        async with asyncio.timeout(10):
            await desk.recorder.warnings.let_through()

    assert (await desk.recorder.flush()).warnings_dropped == 0


async def test_news_that_can_never_be_written_stop_the_attempt(desk):
    desk.state._tool_ms = {"x" * 70_000: 1.0}
    desk.state.is_news = True
    desk.recorder.notice()

    async with asyncio.timeout(30):
        await desk.recorder.run()

    assert desk.stop.reason is StopReason.UNWRITABLE
    assert desk.recorder.unwritable is not None


async def test_an_end_that_does_not_fit_is_written_without_the_state(desk):
    desk.state._tool_ms = {"x" * 70_000: 1.0}
    move = lambda record, moment: moves.released(record, 3, moment)  # noqa: E731

    with pytest.raises(RecordUnwritable):
        await desk.recorder.close(AttemptOutcome.RELEASED, move)
    record = await desk.recorder.close(AttemptOutcome.RELEASED, move, with_state=False)

    assert record.attempts[-1].outcome is AttemptOutcome.RELEASED

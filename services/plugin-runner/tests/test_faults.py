"""Faults of the runner, the store and the bus: who is to blame, what the job pays, and when the runner gives up."""

import asyncio
import shutil
import threading

import orjson
import pytest
import structlog.testing

from forgesyte_chassis.bus import BusUnavailable, Delivery
from forgesyte_chassis.clock import SystemClock
from forgesyte_contracts import moves, subjects
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.jobs import AttemptEntry as Entry
from forgesyte_contracts.jobs import AttemptOutcome, InputFacts, JobStatus
from forgesyte_plugin_runner.attempt import ending
from forgesyte_plugin_runner.attempt.ending import HANDOVER_DELAY_S, MAX_HANDOVER_DELAY_S, handover_delay_s
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Row, Started
from tests.support import HandClock, eventually

from .inside import NOT_STARTED, SUCCEEDED, a_runner, ten_rows
from .test_jobs import outcomes

A, B = RunnerId("a"), RunnerId("b")


async def ended(box, job_id):
    async def look():
        record = await box.record(job_id)
        return record if record.is_terminal else None

    return await eventually(look, 60, "the job ends")


async def released(box, job_id):
    async def look():
        record = await box.record(job_id)
        return record if record.attempts and record.attempts[-1].outcome is AttemptOutcome.RELEASED else None

    return await eventually(look, 60, "the job is given back")


async def submit(box, **facts):
    return await box.submit_record(b"media", **{"plugin_id": "probe", "tools": ("gate",), **facts})


async def assert_ten_rows(box, record, who=""):
    assert record.status is JobStatus.COMPLETED, record
    rows = await box.rows(record.job_id)
    assert [(row["frame_index"], row["detections"]) for row in rows] == [(index, who) for index in range(10)]


async def test_a_fenced_attempt_in_its_last_steps_does_not_touch_the_result_of_the_one_that_completed(
    box, tmp_path, monkeypatch
):
    """It learns that it lost the job only at its next write, which comes after the result document."""
    at_the_result, go_on = asyncio.Event(), asyncio.Event()
    write = ending.write_result

    async def late(store, record):
        if record.owner == A:
            at_the_result.set()
            await go_on.wait()
        await write(store, record)

    monkeypatch.setattr(ending, "write_result", late)
    async with a_runner(box.nats.url, tmp_path, lambda say: ten_rows(say, "a"), name=A) as first:
        job_id = await submit(box)
        await at_the_result.wait()
        monkeypatch.setattr(first.runner._slots.jobs[job_id]._recorder, "look", nothing)
        first.runner._puller.stop()
        await box.bus.jobs.change(job_id, lambda r: moves.released(r, 10, SystemClock().now()))
        await box.hand_out_again()
        async with a_runner(box.nats.url, tmp_path, lambda say: ten_rows(say, "b"), name=B):
            record = await ended(box, job_id)
            go_on.set()
            await eventually(lambda: not first.jobs, what="the fenced attempt is over")

    await assert_ten_rows(box, record, "b")
    document = orjson.loads(await box.store.get(subjects.result_blob(job_id, record.attempt)))
    assert [row["detections"] for row in document["frames"]] == ["b"] * 10


async def nothing():
    """Look at the record and see nothing."""


async def test_a_job_whose_rows_are_not_all_in_the_store_is_not_completed(box, tmp_path):
    """The next attempt makes all rows again."""

    async def losing(say):
        outcome = await ten_rows(say)
        if inside.script.runs == 1:
            attempt = next(iter(inside.jobs.values()))
            attempt._state.counts.rows += 1
        return outcome

    async with a_runner(box.nats.url, tmp_path, losing) as inside:
        record = await ended(box, await submit(box))

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]


async def test_rows_of_another_attempt_with_the_same_number_are_not_mistaken_for_ours(box, tmp_path):
    """The bus went back to an older copy and issues attempt 1 again; the store has what the first one wrote."""
    job_id = await submit(box, options={})
    await box.store.put(subjects.segment_blob(job_id, 1, 0), b"rows of another time")

    async with a_runner(box.nats.url, tmp_path):
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]
    assert await box.store.get(subjects.segment_blob(job_id, 1, 0)) == b"rows of another time"


async def test_a_record_that_cannot_hold_the_end_fails_the_job_at_once(box, tmp_path):
    """Every attempt would end the same way, so the first one fails the job with the reason."""

    async def talkative(say):
        attempt = next(iter(inside.jobs.values()))
        attempt._state._tool_ms = {"x" * 70_000: 1.0}
        return await ten_rows(say)

    async with a_runner(box.nats.url, tmp_path, talkative) as inside:
        record = await ended(box, await submit(box))

    assert (record.status, record.error_code, record.error_type) == (JobStatus.FAILED, "INTERNAL", "RecordUnwritable")
    assert "at most 65536 are allowed" in record.error_message
    assert outcomes(record) == [AttemptOutcome.FAILED]


async def test_figures_that_a_child_made_up_cost_no_attempt(box, tmp_path):
    async def poisoner(say):
        await say(Started("h264", 10, 10, fps=25.0))
        await say(Row(0, b'{"frame_index":0}', 1, {"\x01" * 62 + f"{n:02d}": 1 for n in range(100)}))
        await say(messages.decode(b"T", b'{"process":{"gate":NaN},"stages":{"decode":Infinity}}'))
        await say(messages.decode(b"F", b'{"result":{"codec":"' + b"x" * 70_000 + b'","frames_decoded":1}}'))
        return SUCCEEDED

    facts = {"options": {"gate": {"x": "y" * 16_000}}, "input": InputFacts(filename="\x01" * 200)}
    async with a_runner(box.nats.url, tmp_path, poisoner):
        record = await ended(box, await submit(box, **facts))

    assert record.status is JobStatus.COMPLETED
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]
    assert len(record.decode.codec) == 64


async def test_a_runner_whose_sandbox_does_not_start_rests_and_is_not_ready(box, tmp_path):
    async def not_at_all(_say):
        return NOT_STARTED

    async with a_runner(box.nats.url, tmp_path, not_at_all) as inside:
        inside.runner._backoff._clock = HandClock()  # a rest ends when the test ends it, not after a second
        job_id = await submit(box)
        record = await released(box, job_id)
        rests = inside.runner._backoff.is_resting
        for _ in range(2):
            inside.runner._backoff.faulted()
        reasons = inside.runner._health.reasons()
        inside.runner._backoff.recovered()
        inside.script.plan = ten_rows
        record = await ended(box, job_id)

        assert rests
        assert any("in a row" in reason for reason in reasons)
        assert not inside.runner._health.reasons()
    assert record.deaths_without_checkpoint == 0
    await assert_ten_rows(box, record)


async def test_a_full_scratch_folder_is_no_fault_of_the_job(box, tmp_path):
    with structlog.testing.capture_logs() as logs:
        record = await run_without_scratch(box, tmp_path)

    await assert_ten_rows(box, record)
    assert set(outcomes(record)) == {AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED}
    errors = [log["event"] for log in logs if log["log_level"] == "error"]
    assert errors == ["media not fetched"] * outcomes(record).count(AttemptOutcome.RELEASED)


async def run_without_scratch(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path) as inside:
        folder = inside.opened.scratch.path
        await asyncio.to_thread(shutil.move, folder, folder.with_name("moved"))
        job_id = await submit(box)
        await released(box, job_id)
        await asyncio.to_thread(shutil.move, folder.with_name("moved"), folder)
        return await ended(box, job_id)


@pytest.mark.parametrize(
    ("history", "delay_s"),
    [
        ("r", HANDOVER_DELAY_S),
        ("rr", 2 * HANDOVER_DELAY_S),
        ("rrrr", 8 * HANDOVER_DELAY_S),
        ("r" * 19, MAX_HANDOVER_DELAY_S),
        ("rrcr", HANDOVER_DELAY_S),
    ],
)
async def test_a_job_that_was_given_back_again_and_again_waits_longer_each_time(box, history, delay_s):
    how = {"r": AttemptOutcome.RELEASED, "c": AttemptOutcome.CRASHED}
    entries = tuple(
        Entry(number=n, runner_id="a", started_at=SystemClock().now(), outcome=how[letter])
        for n, letter in enumerate(history, 1)
    )
    record = (await box.record(await submit(box))).model_copy(update={"attempts": entries})

    assert handover_delay_s(record) == delay_s


async def test_a_fenced_attempt_that_winds_down_and_a_new_delivery_do_not_share_a_slot(box, tmp_path, monkeypatch):
    """The second claim would hide the first from the drain, and the first's end would hide the second."""
    dying, dead = asyncio.Event(), asyncio.Event()

    async def slow_death(say):
        if inside.script.runs > 1:
            return await ten_rows(say)
        try:
            await asyncio.Event().wait()
        finally:
            dying.set()
            await dead.wait()

    async with a_runner(box.nats.url, tmp_path, slow_death, slots=2) as inside:
        job_id = await submit(box)
        await eventually(lambda: inside.script.runs)
        await box.take_over(job_id, "another")
        await dying.wait()
        fenced = inside.jobs[job_id]
        await box.bus.jobs.change(job_id, lambda r: moves.released(r, 3, SystemClock().now()))
        await box.hand_out_again()
        refused = inside.runner._metrics._refused.labels("winding_down")
        await eventually(lambda: refused._value.get(), what="the delivery is given back")
        assert inside.jobs[job_id] is fenced
        dead.set()
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert record.attempt == 3


async def test_a_fenced_runner_sends_nothing_through_a_handle_that_was_replaced(box, tmp_path, monkeypatch):
    said = []
    real = Delivery.nak

    async def nak(delivery):
        if not delivery._is_silent:
            said.append(delivery.job_id)
        await real(delivery)

    async def breaks(_say):
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("a fault of the runner while the sandbox is torn down")

    async with a_runner(box.nats.url, tmp_path, breaks, slots=2) as inside:
        job_id = await submit(box)
        await eventually(lambda: inside.script.runs)
        attempt = inside.jobs[job_id]
        first = attempt._hold._delivery
        await box.hand_out_again()
        await eventually(lambda: attempt._hold._delivery is not first, what="the new handle is taken")
        monkeypatch.setattr(Delivery, "nak", nak)
        inside.runner._puller.stop()
        await box.take_over(job_id, "another")
        await eventually(lambda: not inside.jobs, what="the fenced attempt is over")
        await eventually(lambda: inside.runner._backoff.in_a_row, what="the runner notes its own fault")

    assert said == []


async def test_a_store_that_never_answers_gives_the_job_back(box, tmp_path):
    answered = threading.Event()
    async with a_runner(box.nats.url, tmp_path, store_call_s=0.3, store_patience_s=0.1) as inside:
        store = inside.opened.store
        call = store._call

        async def hanging(path, ask):
            return await call(path, answered.wait if path.endswith("input") else ask)

        store._call = hanging
        try:
            job_id = await submit(box)
            await released(box, job_id)
        finally:
            answered.set()
        store._call, store._call_limit_s = call, 60  # from now on it answers, however long it takes
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert outcomes(record)[-1] is AttemptOutcome.SUCCEEDED


async def test_an_unavailable_bus_at_the_ack_costs_nothing(box, tmp_path, monkeypatch):
    """The record says that the job has ended, and the redelivery finds that out."""
    real, refused = Delivery.ack, []

    async def unavailable_once(delivery):
        if not refused:
            refused.append(delivery.job_id)
            raise BusUnavailable("unavailable")
        await real(delivery)

    monkeypatch.setattr(Delivery, "ack", unavailable_once)
    async with a_runner(box.nats.url, tmp_path) as inside:
        job_id = await submit(box)
        record = await ended(box, job_id)
        await eventually(lambda: refused and not inside.jobs)
        await box.hand_out_again()
        await eventually(lambda: box.is_acknowledged(job_id), what="the redelivery is acknowledged")

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]


async def test_a_redelivery_of_a_finished_job_writes_the_record_json_that_its_owner_left_out(box, tmp_path):
    job_id = await submit(box)
    await box.bus.jobs.change(job_id, lambda r: moves.cancelled(r, SystemClock().now()))

    async with a_runner(box.nats.url, tmp_path) as inside:
        await eventually(lambda: box.is_acknowledged(job_id))
        await eventually(lambda: box.store.size(subjects.record_blob(job_id)))

    assert orjson.loads(await box.store.get(subjects.record_blob(job_id)))["status"] == "cancelled"
    assert inside.script.runs == 0


async def test_a_job_whose_hint_was_lost_is_found_by_the_sweep(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path) as inside:
        inside.runner._puller.hint = lambda *_consumer: None
        record = await ended(box, await submit(box))

    await assert_ten_rows(box, record)

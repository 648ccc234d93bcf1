"""Faults of the runner, the store and the bus: whose fault it was, what the job pays for it, and when it is enough."""

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
from forgesyte_plugin_runner.fault_backoff import MAX_REST_S, FaultBackoff
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Row, Started
from tests.support import eventually

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
    """It learns that it lost the job only by its next write, which comes after the result document."""
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
    """A look at the record that sees nothing."""


async def test_a_job_whose_rows_are_not_all_in_the_store_is_not_completed(box, tmp_path):
    """The next attempt makes them anew."""

    async def losing(say):
        outcome = await ten_rows(say)
        if inside.script.runs == 1:
            attempt = next(iter(inside.jobs.values()))
            attempt._ledger._rows += 1
        return outcome

    async with a_runner(box.nats.url, tmp_path, losing) as inside:
        record = await ended(box, await submit(box))

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]


async def test_rows_of_another_life_of_the_same_attempt_number_are_not_taken_for_ours(box, tmp_path):
    """The bus went back to an older copy and gives attempt 1 out again; the store has what the first one wrote."""
    job_id = await submit(box, options={})
    await box.store.put(subjects.segment_blob(job_id, 1, 0), b"rows of another time")

    async with a_runner(box.nats.url, tmp_path):
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]
    assert await box.store.get(subjects.segment_blob(job_id, 1, 0)) == b"rows of another time"


async def test_a_record_that_can_not_hold_the_end_fails_the_job_at_once(box, tmp_path):
    """No attempt would come to another end: the first says so, with the reason."""

    async def talkative(say):
        attempt = next(iter(inside.jobs.values()))
        attempt._ledger._tool_ms = {"x" * 70_000: 1.0}
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


async def test_a_runner_whose_sandbox_does_not_start_rests_and_says_so(box, tmp_path):
    async def not_at_all(_say):
        return NOT_STARTED

    async with a_runner(box.nats.url, tmp_path, not_at_all) as inside:
        inside.place.fitness._monotonic = lambda: 0.0  # a rest ends when the test says so, not after a second
        job_id = await submit(box)
        record = await released(box, job_id)
        rests = inside.place.fitness.rests
        for _ in range(2):
            inside.place.fitness.faulted()
        reasons = inside.runner._health.reasons()
        inside.place.fitness.recovered()
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
    told = [log["event"] for log in logs if log["log_level"] == "error"]
    assert told == ["media not fetched"] * outcomes(record).count(AttemptOutcome.RELEASED)


async def run_without_scratch(box, tmp_path):
    async with a_runner(box.nats.url, tmp_path) as inside:
        folder = inside.place.scratch.path
        await asyncio.to_thread(shutil.move, folder, folder.with_name("away"))
        job_id = await submit(box)
        await released(box, job_id)
        await asyncio.to_thread(shutil.move, folder.with_name("away"), folder)
        return await ended(box, job_id)


def test_each_fault_in_a_row_doubles_the_rest_and_a_job_that_ends_is_the_end_of_it():
    now_s = [0.0]
    fitness = FaultBackoff(lambda: now_s[0])
    rests_s = []
    for _ in range(8):
        fitness.faulted()
        begun_s = now_s[0]
        while fitness.rests:
            now_s[0] += 1
        rests_s.append(now_s[0] - begun_s)

    assert rests_s == [1, 2, 4, 8, 16, 32, MAX_REST_S, MAX_REST_S]
    assert fitness.check() is not True
    fitness.recovered()
    assert fitness.check() is True


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


async def test_a_fenced_attempt_that_winds_down_and_a_new_delivery_do_not_share_a_place(box, tmp_path, monkeypatch):
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
        refused = inside.place.metrics._refused.labels("winding_down")
        await eventually(lambda: refused._value.get(), what="the delivery is given back")
        assert inside.jobs[job_id] is fenced
        dead.set()
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert record.attempt == 3


async def test_a_fenced_runner_says_nothing_through_a_handle_that_was_replaced(box, tmp_path, monkeypatch):
    said = []
    real = Delivery.nak

    async def nak(delivery, delay_s=0.0):
        if not delivery._is_silent:
            said.append(delay_s)
        await real(delivery, delay_s)

    async def breaks(_say):
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("a fault of ours while the sandbox is torn down")

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
        await eventually(lambda: inside.place.fitness._in_a_row, what="the fault of ours is noted")

    assert said == []


async def test_a_store_that_never_answers_gives_the_job_back(box, tmp_path):
    answered = threading.Event()
    async with a_runner(box.nats.url, tmp_path, store_call_s=0.3, store_patience_s=0.1) as inside:
        store = inside.place.store
        call = store._call

        async def hanging(path, ask):
            return await call(path, answered.wait if path.endswith("input") else ask)

        store._call = hanging
        try:
            job_id = await submit(box)
            await released(box, job_id)
        finally:
            answered.set()
        store._call, store._call_limit_s = call, 60  # from now on it is well, and may take its time over it
        record = await ended(box, job_id)

    await assert_ten_rows(box, record)
    assert outcomes(record)[-1] is AttemptOutcome.SUCCEEDED


async def test_a_bus_that_is_away_at_the_ack_costs_nothing(box, tmp_path, monkeypatch):
    """The record says that the job has ended; the redelivery finds that out."""
    real, refused = Delivery.ack, []

    async def away_once(delivery):
        if not refused:
            refused.append(delivery.job_id)
            raise BusUnavailable("away")
        await real(delivery)

    monkeypatch.setattr(Delivery, "ack", away_once)
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

"""Jobs end to end in a real runner process: what record and store hold when they have ended."""

import orjson
import psutil
import pytest

from forgesyte_chassis.store.warnings import all_warnings
from forgesyte_contracts import subjects
from forgesyte_contracts.jobs import MAX_WARNINGS, AttemptOutcome, JobStatus
from tests.support import alive, brightness_of, eventually, meeting_point

FRAMES = 60

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def box(shared_box):
    """One box for all tests of this file."""
    return shared_box


def outcomes(record) -> list[str | None]:
    return [attempt.outcome for attempt in record.attempts]


async def assert_right(box, record) -> None:
    """Completed, and every frame has its one row."""
    assert record.status is JobStatus.COMPLETED, record
    assert (record.progress, record.total_frames, record.current_frame) == (100, FRAMES, FRAMES)
    rows = await box.rows(record.job_id)
    assert [row["frame_index"] for row in rows] == list(range(FRAMES))
    assert all(abs(row["detections"]["brightness"] - brightness_of(row["frame_index"])) <= 4 for row in rows)
    await eventually(lambda: box.is_acknowledged(record.job_id), what="the work is acknowledged")


async def test_a_job_leaves_record_rows_result_and_record_json(box, clip):
    runner = box.start_runner()

    record = await box.ended(await box.submit(clip, "gate"))

    await assert_right(box, record)
    assert record.summary is not None
    assert (record.summary.frame_count, record.tools_completed, record.device_used) == (FRAMES, 1, "cpu")
    assert record.decode is not None
    assert (record.decode.frames_decoded, record.decode.width, record.decode.height) == (FRAMES, 160, 120)
    assert set(record.plugin_timings) == {"probe.gate", "probe"}
    assert record.stage_timings_ms.decode > 0
    assert record.stage_timings_ms.fetch > 0
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]
    result = orjson.loads(await box.store.get(subjects.result_blob(record.job_id, record.attempt)))
    assert (result["status"], result["total_frames"], result["truncated"]) == ("completed", FRAMES, False)
    assert result["frames"] == await box.rows(record.job_id)
    kept = orjson.loads(await box.store.get(subjects.record_blob(record.job_id)))
    assert (kept["status"], kept["job_id"]) == ("completed", record.job_id)
    assert await runner.drained() == 0
    assert list(box.scratch.glob("*/*")) == []


async def test_every_warning_is_kept_though_the_record_holds_the_newest(box, clip):
    box.start_runner()

    record = await box.ended(await box.submit(clip, "nan"))

    assert record.status is JobStatus.COMPLETED
    assert (len(record.warnings), record.warnings_dropped) == (MAX_WARNINGS, FRAMES - MAX_WARNINGS)
    warnings = [warning for _, warning in await all_warnings(box.store, record)]
    assert [warning.text.split(":")[0] for warning in warnings] == [f"nan, frame {index}" for index in range(FRAMES)]
    assert [warning.frame_index for warning in warnings] == list(range(FRAMES))


async def test_progress_and_rows_can_be_read_while_the_job_runs(box, clip, gate):
    box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    async def seen():
        record = await box.record(job_id)
        is_whole = record.current_frame == gate.at and record.rows and record.rows[0].end_frame == gate.at
        return record if is_whole else None

    record = await eventually(seen, 60, what="30 frames and their rows are in the record")

    assert (record.status, record.progress, record.total_frames) == (JobStatus.RUNNING, 50, FRAMES)
    assert len(await box.rows(job_id)) == gate.at
    gate.open()
    await assert_right(box, await box.ended(job_id))


async def test_two_slots_run_two_jobs_at_once(box, clip, gate, another_gate):
    box.start_runner(slots=2)
    first = await box.submit(clip, "gate", **gate.options)
    second = await box.submit(clip, "gate", **another_gate.options)

    assert await gate.reached() != await another_gate.reached()

    gate.open()
    another_gate.open()
    await assert_right(box, await box.ended(first))
    await assert_right(box, await box.ended(second))


async def test_a_job_that_finds_all_slots_busy_is_left_to_another_runner(box, clip, gate, another_gate):
    box.start_runner()
    first = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    second = await box.submit(clip, "gate", **another_gate.options)

    box.start_another()

    await another_gate.reached()
    owners = {(await box.record(job_id)).owner for job_id in (first, second)}
    assert len(owners) == 2
    gate.open()
    another_gate.open()
    await assert_right(box, await box.ended(first))
    await assert_right(box, await box.ended(second))


async def test_a_plugin_that_raises_ends_the_job_at_once_with_its_exact_text(box, clip):
    box.start_runner()

    record = await box.ended(await box.submit(clip, "raise", at=7))

    assert (record.status, record.error_code, record.error_type) == (JobStatus.FAILED, "PLUGIN_ERROR", "RuntimeError")
    assert record.error_message is not None
    assert "raised RuntimeError at frame 7: no luck at 7" in record.error_message
    assert outcomes(record) == [AttemptOutcome.FAILED]
    assert record.attempts[0].frame == 7
    assert [row["frame_index"] for row in await box.rows(record.job_id)] == list(range(7))
    await eventually(lambda: box.is_acknowledged(record.job_id))
    kept = orjson.loads(await box.store.get(subjects.record_blob(record.job_id)))
    assert kept["error_code"] == "PLUGIN_ERROR"


async def test_what_is_no_video_ends_the_job_at_once(box):
    box.start_runner()

    record = await box.ended(await box.submit(b"this is no video" * 100, "gate"))

    assert (record.status, record.error_code) == (JobStatus.FAILED, "MEDIA_INVALID")
    assert outcomes(record) == [AttemptOutcome.FAILED]
    await eventually(lambda: box.is_acknowledged(record.job_id))


async def test_a_hung_plugin_ends_as_timeout_twice_and_then_fails(box, clip):
    box.start_runner(frame_timeout_s=2)

    record = await box.ended(await box.submit(clip, "hang", at=3))

    assert (record.status, record.error_code, record.error_type) == (JobStatus.FAILED, "PLUGIN_TIMEOUT", "timeout")
    assert outcomes(record) == [AttemptOutcome.TIMEOUT, AttemptOutcome.TIMEOUT]
    assert [attempt.frame for attempt in record.attempts] == [3, 3]
    await eventually(lambda: box.is_acknowledged(record.job_id))


async def test_a_sandbox_killed_in_mid_job_is_a_crash_and_the_next_attempt_completes(box, clip, gate):
    box.start_runner()
    job_id = await box.submit(clip, "gate", **gate.options)
    sandbox = psutil.Process(await gate.reached())

    sandbox.kill()

    gate.open()
    record = await box.ended(job_id)
    await assert_right(box, record)
    assert outcomes(record) == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]


async def test_a_cancelled_hung_plugin_is_dead_when_the_record_says_cancelled(box, clip, tmp_path):
    runner = box.start_runner()
    reached = meeting_point("reached")
    job_id = await box.submit(clip, "hang", at=3, reached=str(reached))
    pid = int(await eventually(lambda: reached.exists() and reached.read_text(), 60))
    sandbox = psutil.Process(pid)

    was_answered = await box.cancel(job_id)

    assert was_answered
    record = await box.ended(job_id)
    assert not alive([sandbox])
    assert len(await box.rows(job_id)) == 3, "rows that were not committed yet when it was cancelled"
    assert (record.summary.frame_count, record.current_frame, record.attempts[0].frame) == (3, 3, 3)
    assert (record.status, outcomes(record)) == (JobStatus.CANCELLED, [AttemptOutcome.CANCELLED])
    assert runner.process.poll() is None
    await assert_right(box, await box.ended(await box.submit(clip, "gate")))


async def test_a_cancel_whose_message_was_lost_is_found_in_the_record(box, clip, tmp_path):
    box.start_runner()
    reached = meeting_point("reached")
    job_id = await box.submit(clip, "hang", at=3, reached=str(reached))
    sandbox = psutil.Process(int(await eventually(lambda: reached.exists() and reached.read_text(), 60)))

    await box.cancel_silently(job_id)

    await eventually(lambda: not alive([sandbox]), what="the hung sandbox is dead")
    await eventually(lambda: box.is_acknowledged(job_id), what="the message is acknowledged")
    kept = orjson.loads(await box.store.get(subjects.record_blob(job_id)))
    assert kept["status"] == "cancelled"

"""What the record and its extended form say of running and ended jobs, beside what test_jobs.py asks."""

import orjson
import pytest

from forgesyte_chassis.store.segments import write_segment
from forgesyte_chassis.store.warnings import write_warnings
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, DecodeFacts, StageTimings
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import INLINE_RESULT_BYTES, ResultSummary
from forgesyte_contracts.subjects import result_blob
from forgesyte_contracts.warnings import JobWarning, Severity

DECODE = DecodeFacts(frames_decoded=30, frames_corrupt=2, frames_skipped=1, codec="h264", fps=25.0, rotation=90)
STAGES = StageTimings(fetch=1.5, decode=20.0, process=300.5, publish=4.0)
TIMINGS = {"motion.detect-motion": 3.1, "motion": 3.1}
ENDS_EARLY = JobWarning(text="the file ends early")
SUMMARY = ResultSummary(frame_count=29, detection_count=40, classes={"car": 40})


def rows(first, end, padding=""):
    return [orjson.dumps({"frame_index": n, "detections": {"text": padding}}) for n in range(first, end)]


def numbered(first, end):
    return [JobWarning(text=f"warning {number}") for number in range(first, end)]


async def running(api, make, *, frames=30, padding="", **facts):
    """A job that runs, with everything an attempt writes."""
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    await write_segment(api.store, record.job_id, 1, 0, rows(0, frames, padding))
    record = moves.progressed(
        record, make.NOW, end_frame=frames, progress=60, current_frame=frames, device_used="cpu",
        decode=DECODE, plugin_timings=TIMINGS, stage_timings_ms=STAGES, **facts,
    )  # fmt: skip
    return moves.warned(record, [ENDS_EARLY, ENDS_EARLY])


async def extended(api, record):
    return (await api.http.get(f"/v1/jobs/{record.job_id}/extended")).json()


async def test_a_running_job_tells_how_it_goes(api, make):
    body = await extended(api, await api.put(await running(api, make)))

    assert (body["status"], body["progress"], body["current_frame"], body["total_frames"]) == ("running", 60, 30, None)
    assert (body["results"], body["summary"], body["completed_at"]) == (None, None, None)
    assert body["decode"] == DECODE.model_dump()
    assert body["stage_timings_ms"] == {"fetch": 1.5, "decode": 20.0, "process": 300.5, "encode": 0.0, "publish": 4.0}
    assert body["plugin_timings"] == TIMINGS
    assert body["warnings"] == ["the file ends early", "the file ends early"]
    assert (body["device_requested"], body["device_used"], body["fallback"]) == ("auto", "cpu", False)
    assert [row["frame_index"] for row in body["frames"]] == list(range(10, 30))
    assert [(one["number"], one["outcome"]) for one in body["attempts"]] == [(1, None)]


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
async def test_a_job_that_ended_early_keeps_all_that_and_says_why(api, make, ending):
    record = await running(api, make, summary=SUMMARY)
    if ending == "failed":
        record = moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW, frame=29)
    else:
        record = moves.cancelled(record, make.NOW)

    body = await extended(api, await api.put(record))

    assert (body["status"], body["error_type"]) == (ending, {"failed": "ValueError"}.get(ending, "cancelled"))
    assert (body["results"], body["current_tool"], body["progress"]) == (None, None, 60)
    assert body["summary"] == {"frame_count": 29, "detection_count": 40, "classes": {"car": 40}}
    assert (body["decode"], body["plugin_timings"]) == (DECODE.model_dump(), TIMINGS)
    assert [row["frame_index"] for row in body["frames"]] == list(range(10, 30))
    assert [one["outcome"] for one in body["attempts"]] == [ending]


async def test_attempts_before_are_told_with_their_deaths(api, make):
    record = moves.died(await running(api, make), AttemptOutcome.OOM, 17, "too much memory", make.NOW)
    record = moves.claimed(record, "runner-2", make.NOW)

    body = await extended(api, await api.put(record))

    assert [(one["number"], one["runner_id"], one["outcome"], one["frame"]) for one in body["attempts"]] == [
        (1, "runner-1", "oom", 17), (2, "runner-2", None, None),
    ]  # fmt: skip
    assert (body["current_frame"], body["progress"], body["frames"]) == (0, 60, [])


async def test_every_warning_is_told_also_those_the_record_had_no_room_for(api, make):
    record = moves.warned(await running(api, make), numbered(2, 60))
    await write_warnings(api.store, record.job_id, 1, [(0, ENDS_EARLY), (1, ENDS_EARLY)])
    await write_warnings(api.store, record.job_id, 2, list(enumerate(numbered(2, 30), start=2)))

    body = await extended(api, await api.put(record.model_copy(update={"attempt": 2})))

    assert body["warnings"] == ["the file ends early"] * 2 + [f"warning {number}" for number in range(2, 60)]


async def test_a_warning_that_was_not_kept_is_left_out(api, make):
    record = moves.warned(await running(api, make), numbered(2, 60))

    body = await extended(api, await api.put(record))

    assert body["warnings"] == [f"warning {number}" for number in range(10, 60)]
    assert [entry["index"] for entry in body["warning_entries"]] == list(range(10, 60))


async def test_warnings_are_told_as_data_too(api, make):
    record = moves.warned(await running(api, make), [JobWarning(text="odd", frame_index=7, severity=Severity.LOW)])

    body = await extended(api, await api.put(record))

    assert body["warning_entries"][2:] == [{"index": 2, "text": "odd", "frame_index": 7, "severity": "low"}]


async def test_an_attempt_tells_what_its_sandbox_wrote_last(api, make):
    record = moves.with_log_tail(await running(api, make), "Segmentation fault")
    record = moves.died(record, AttemptOutcome.CRASHED, 17, "it died", make.NOW)

    body = await extended(api, await api.put(record))

    assert [one["log_tail"] for one in body["attempts"]] == ["Segmentation fault"]


async def test_newest_rows_are_only_as_many_as_fit_inline(api, make):
    record = await api.put(await running(api, make, padding="x" * (INLINE_RESULT_BYTES // 4)))

    body = await extended(api, record)

    assert [row["frame_index"] for row in body["frames"]] == [27, 28, 29]


@pytest.mark.parametrize("path", ["", "/extended"], ids=["record", "extended"])
async def test_inline_results_that_were_cut_say_so_and_where_the_rest_is(api, make, path):
    record = moves.completed(await running(api, make), make.NOW, summary=SUMMARY, total_frames=30)
    document = {"job_id": record.job_id, "status": "completed", "frames": [{"frame_index": 0}], "truncated": True}
    await api.store.put(result_blob(record.job_id, record.attempt), orjson.dumps(document))
    await api.put(record)

    body = (await api.http.get(f"/v1/jobs/{record.job_id}{path}")).json()

    assert body["results"] == document
    assert body["result_url"] == f"/v1/jobs/{record.job_id}/result"
    assert (body["progress"], body["tools_completed"], body["total_frames"]) == (100, 1, 30)
    assert body["summary"] == {"frame_count": 29, "detection_count": 40, "classes": {"car": 40}}

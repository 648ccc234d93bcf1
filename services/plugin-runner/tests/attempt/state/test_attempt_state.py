from datetime import UTC, datetime

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import DecodeFacts, JobRecord, RowRange
from forgesyte_contracts.realtime import ProgressStage
from forgesyte_contracts.warnings import JobWarning
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Finished, Row, Started, Timings

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def a_running_record(**changes) -> JobRecord:
    facts = {"job_id": "job", "plugin_id": "seeker", "tools": ("seek",), "created_at": NOW, "updated_at": NOW}
    return moves.claimed(JobRecord(**{**facts, **changes}), "runner", NOW)


def a_row(index: int, **changes) -> Row:
    return Row(frame_index=index, data=b"{}", **changes)


def started(**changes) -> Started:
    return Started(**{"codec": "h264", "width": 160, "height": 120, "fps": 25.0, **changes})


def test_an_estimate_drives_progress_and_never_the_total():
    record = a_running_record()
    state = AttemptState(record)

    state.take(started(estimated_total=10))
    for index in range(5):
        state.take(a_row(index))

    written = state.apply(record, NOW)
    assert (written.progress, written.current_frame, written.total_frames) == (50, 5, None)


def test_a_better_estimate_replaces_the_first_and_never_lowers_progress():
    record = a_running_record()
    state = AttemptState(record)
    state.take(started(estimated_total=170))
    state.take(a_row(14))

    state.take(Timings(estimated_total=30))

    half = state.apply(record, NOW)
    assert (half.progress, half.total_frames) == (50, None)
    state.take(Timings(estimated_total=3000))
    assert state.apply(half, NOW).progress == 50


def test_the_record_says_which_clock_stream_and_colours_were_used():
    record = a_running_record()
    state = AttemptState(record)

    state.take(started(clock="best_effort", video_stream=1, color="bt709", pixel_aspect="4:3"))

    decode = state.apply(record, NOW).decode
    assert decode is not None
    assert (decode.clock, decode.video_stream, decode.color, decode.pixel_aspect) == ("best_effort", 1, "bt709", "4:3")
    assert (decode.fps, decode.fps_nominal) == (25.0, 25.0)
    state.take(Finished({"frames_decoded": 10, "fps": 4.97, "fps_nominal": 25.0, "clock": "best_effort"}))
    measured = state.apply(record, NOW).decode
    assert measured is not None
    assert (measured.fps, measured.fps_nominal) == (4.97, 25.0)


def test_what_was_known_of_the_media_stays_and_what_an_earlier_attempt_counted_does_not():
    seen = DecodeFacts(codec="h264", width=160, height=120, rotation=90)
    counted = {"frames_decoded": 7, "frames_corrupt": 2, "as_stated": True}
    record = a_running_record(decode=seen.model_copy(update=counted))

    written = AttemptState(record).apply(record, NOW)

    assert written.decode == seen


def test_the_end_tells_the_real_total():
    record = a_running_record()
    state = AttemptState(record)
    state.take(started(estimated_total=12))
    for index in range(9):
        state.take(a_row(index))

    state.take(
        Finished(
            {"frames_decoded": 10, "frames_corrupt": 2, "frames_skipped": 1, "total_frames": 10, "as_stated": False}
        )
    )

    written = state.apply(record, NOW)
    assert (written.progress, written.total_frames, written.current_frame) == (99, 10, 9)
    assert written.decode is not None
    assert (written.decode.frames_decoded, written.decode.frames_corrupt, written.decode.codec) == (10, 2, "h264")
    assert written.decode.as_stated is False


def test_writing_twice_changes_nothing():
    record = a_running_record(warnings=("old",))
    state = AttemptState(record)
    state.take(messages.Warning("new", 4))
    state.take(a_row(0))
    state.commit(1)

    once = state.apply(record, NOW)

    assert once.warnings == (JobWarning(text="old"), JobWarning(text="new", frame_index=4))
    assert once.rows == (RowRange(attempt=1, first_frame=0, end_frame=1),)
    assert state.apply(once, NOW) == once


def test_timings_are_a_tool_s_latest_and_the_plugin_s_sum():
    record = a_running_record(tools=("seek", "find"))
    state = AttemptState(record)

    state.take(Timings({"seek": 1.04, "find": 2.0, "made-up": 9.0}, {"decode": 5.55, "made-up": 9.0}))
    state.add_stage_ms("fetch", 1.26)

    written = state.apply(record, NOW)
    assert written.plugin_timings == {"seeker.seek": 1.0, "seeker.find": 2.0, "seeker": 3.0}
    assert (written.stage_timings_ms.decode, written.stage_timings_ms.fetch) == (pytest.approx(5.5, abs=0.1), 1.3)


def test_figures_that_a_child_made_up_are_not_believed():
    state = AttemptState(a_running_record())
    state.take(a_row(2))

    state.take(Finished({"frames_decoded": "many"}))

    assert state.apply(a_running_record(), NOW).total_frames == 3


def test_what_runs_shows_its_decoded_frames_and_the_summary_of_the_rows_that_can_be_read():
    record = a_running_record()
    state = AttemptState(record)
    state.take(a_row(4, detections=3, classes={"cat": 3}))
    state.commit(5)
    state.take(a_row(5, detections=7))

    written = state.apply(record, NOW)

    assert (written.decode.frames_decoded, written.current_frame) == (6, 2)
    assert (written.summary.frame_count, written.summary.detection_count, written.summary.classes) == (1, 3, {"cat": 3})


def test_a_new_attempt_begins_without_the_summary_of_the_last_one():
    record = a_running_record()
    state = AttemptState(record)
    state.take(a_row(4))
    given_back = moves.released(state.apply(record, NOW), 5, NOW)

    assert moves.claimed(given_back, "heir", NOW).summary is None


def test_no_figure_of_a_child_can_poison_the_record():
    record = a_running_record()
    state = AttemptState(record)

    state.take(started(codec="x" * 70_000, fps=float("nan"), estimated_total=10**400))
    state.take(Timings({"seek": float("nan")}, {"decode": float("inf"), "process": -1.0}))
    state.take(Finished({"codec": "y" * 70_000, "fps": float("inf"), "frames_decoded": 10**400, "width": -(10**400)}))

    written = state.apply(record, NOW)
    assert JobRecord.model_validate_json(written.model_dump_json()) == written
    assert len(written.model_dump_json()) < 2000
    assert written.plugin_timings == {}


def test_the_stage_goes_from_starting_over_processing_to_finishing():
    state = AttemptState(a_running_record())
    stages = [state.stage]

    for message in (started(), a_row(0), Finished({})):
        state.take(message)
        stages.append(state.stage)

    assert stages == [
        ProgressStage.STARTING, ProgressStage.STARTING, ProgressStage.PROCESSING, ProgressStage.FINISHING,
    ]  # fmt: skip

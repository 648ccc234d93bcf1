from datetime import UTC, datetime

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import MAX_WARNINGS, DecodeFacts, JobRecord, RowRange
from forgesyte_contracts.warnings import MAX_WARNING_CHARS, JobWarning
from forgesyte_plugin_runner.attempt.attempt_state import (
    MAX_CLASSES,
    MAX_CLASSES_BYTES,
    MAX_OLDER_WARNINGS,
    OTHER,
    AttemptState,
)
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.messages import Finished, Row, Started, Timings

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def a_running_record(**changes) -> JobRecord:
    facts = {"job_id": "job", "plugin_id": "seeker", "tools": ("seek",), "created_at": NOW, "updated_at": NOW}
    return moves.claimed(JobRecord(**{**facts, **changes}), "runner", NOW)


def warning(number: int) -> JobWarning:
    return JobWarning(text=f"warning {number}", frame_index=number)


def a_row(index: int, **changes) -> Row:
    return Row(frame_index=index, data=b"{}", **changes)


def started(**changes) -> Started:
    return Started(**{"codec": "h264", "width": 160, "height": 120, "fps": 25.0, **changes})


def test_an_estimate_drives_progress_and_never_the_total():
    record = a_running_record()
    ledger = AttemptState(record)

    ledger.take(started(estimated_total=10))
    ledger.take(a_row(4))

    written = ledger.apply(record, NOW)
    assert (written.progress, written.current_frame, written.total_frames) == (50, 5, None)


def test_what_was_known_of_the_media_stays_and_what_an_earlier_attempt_counted_does_not():
    seen = DecodeFacts(codec="h264", width=160, height=120, rotation=90, frames_decoded=7, frames_corrupt=2)
    record = a_running_record(decode=seen)

    written = AttemptState(record).apply(record, NOW)

    assert written.decode == DecodeFacts(codec="h264", width=160, height=120, rotation=90)


def test_the_end_tells_the_real_total():
    record = a_running_record()
    ledger = AttemptState(record)
    ledger.take(started(estimated_total=12))

    ledger.take(Finished({"frames_decoded": 10, "frames_corrupt": 2, "frames_skipped": 0, "total_frames": 10}))

    written = ledger.apply(record, NOW)
    assert (written.progress, written.total_frames, written.current_frame) == (99, 10, 10)
    assert written.decode is not None
    assert (written.decode.frames_decoded, written.decode.frames_corrupt, written.decode.codec) == (10, 2, "h264")


def test_writing_twice_changes_nothing():
    record = a_running_record(warnings=("old",))
    ledger = AttemptState(record)
    ledger.take(messages.Warning("new", 4))
    ledger.take(a_row(0))
    ledger.commit(1)

    once = ledger.apply(record, NOW)

    assert once.warnings == (JobWarning(text="old"), JobWarning(text="new", frame_index=4))
    assert once.rows == (RowRange(attempt=1, first_frame=0, end_frame=1),)
    assert ledger.apply(once, NOW) == once


def test_the_newest_warnings_are_kept_in_order():
    record = a_running_record()
    ledger = AttemptState(record)

    for number in range(MAX_WARNINGS + 5):
        ledger.warn(warning(number))

    written = ledger.apply(record, NOW)
    assert written.warnings == tuple(map(warning, range(5, MAX_WARNINGS + 5)))
    assert written.warnings_dropped == 5
    assert ledger.apply(written, NOW) == written
    assert AttemptState(written).apply(written, NOW).warnings_dropped == 5


def test_warnings_that_the_record_has_no_room_for_are_known_with_their_places():
    ledger = AttemptState(a_running_record(warnings=("before",), warnings_dropped=7))
    for number in range(MAX_WARNINGS + 1):
        ledger.warn(warning(number))
    record = ledger.apply(a_running_record(), NOW)

    kept = ledger.beyond(record)

    assert record.warnings_dropped == 9
    assert kept[:3] == [(7, JobWarning(text="before")), (8, warning(0)), (9, warning(1))]
    assert kept[-1] == (58, warning(MAX_WARNINGS))


def test_nothing_is_beyond_a_record_that_holds_every_warning():
    ledger = AttemptState(a_running_record(warnings_dropped=7))
    ledger.warn(warning(1))

    assert ledger.beyond(ledger.apply(a_running_record(), NOW)) == []


def test_a_child_that_never_ends_to_warn_fills_no_memory():
    ledger = AttemptState(a_running_record())
    for number in range(MAX_OLDER_WARNINGS + 1000):
        ledger.warn(JobWarning(text="x" * 10_000 + str(number)))

    kept = ledger.beyond(ledger.apply(a_running_record(), NOW))

    assert len(kept) == MAX_OLDER_WARNINGS + MAX_WARNINGS
    assert max(len(warning.text) for _, warning in kept) == MAX_WARNING_CHARS
    assert kept[-1][0] == MAX_OLDER_WARNINGS + 999


def test_timings_are_a_tool_s_latest_and_the_plugin_s_sum():
    record = a_running_record(tools=("seek", "find"))
    ledger = AttemptState(record)

    ledger.take(Timings({"seek": 1.04, "find": 2.0, "made-up": 9.0}, {"decode": 5.55, "made-up": 9.0}))
    ledger.add_stage_ms("fetch", 1.26)

    written = ledger.apply(record, NOW)
    assert written.plugin_timings == {"seeker.seek": 1.0, "seeker.find": 2.0, "seeker": 3.0}
    assert (written.stage_timings_ms.decode, written.stage_timings_ms.fetch) == (pytest.approx(5.5, abs=0.1), 1.3)


def test_the_summary_counts_classes_and_no_plugin_can_outgrow_it():
    ledger = AttemptState(a_running_record())

    for number in range(MAX_CLASSES + 20):
        ledger.take(a_row(number, detections=1, classes={f"class {number}": 1}))

    assert (ledger.summary.frame_count, ledger.summary.detection_count) == (MAX_CLASSES + 20, MAX_CLASSES + 20)
    assert len(ledger.summary.classes) == MAX_CLASSES + 1
    assert ledger.summary.classes[OTHER] == 20


def test_figures_that_a_child_made_up_are_not_believed():
    ledger = AttemptState(a_running_record())
    ledger.take(a_row(2))

    ledger.take(Finished({"frames_decoded": "many"}))

    assert ledger.total_frames == 3


def test_what_runs_shows_its_decoded_frames_and_its_summary():
    record = a_running_record()
    ledger = AttemptState(record)
    ledger.take(a_row(4, detections=3, classes={"cat": 3}))

    written = ledger.apply(record, NOW)

    assert written.decode.frames_decoded == 5
    assert (written.summary.frame_count, written.summary.detection_count, written.summary.classes) == (1, 3, {"cat": 3})


def test_a_new_attempt_begins_without_the_summary_of_the_last_one():
    record = a_running_record()
    ledger = AttemptState(record)
    ledger.take(a_row(4))
    given_back = moves.released(ledger.apply(record, NOW), 5, NOW)

    assert moves.claimed(given_back, "heir", NOW).summary is None


def test_no_figure_of_a_child_can_poison_the_record():
    record = a_running_record()
    ledger = AttemptState(record)

    ledger.take(started(codec="x" * 70_000, fps=float("nan"), estimated_total=10**400))
    ledger.take(Timings({"seek": float("nan")}, {"decode": float("inf"), "process": -1.0}))
    ledger.take(Finished({"codec": "y" * 70_000, "fps": float("inf"), "frames_decoded": 10**400, "width": -(10**400)}))

    written = ledger.apply(record, NOW)
    assert JobRecord.model_validate_json(written.model_dump_json()) == written
    assert len(written.model_dump_json()) < 2000
    assert written.plugin_timings == {}


def test_names_of_classes_have_a_limit_in_bytes_too():
    ledger = AttemptState(a_running_record())

    for number in range(MAX_CLASSES):
        ledger.take(a_row(number, detections=1, classes={"\x01" * 60 + f"{number:04d}": 1}))

    assert len(ledger.summary.model_dump_json()) < MAX_CLASSES_BYTES + 2000
    assert sum(ledger.summary.classes.values()) == MAX_CLASSES
    assert ledger.summary.classes[OTHER] > 0

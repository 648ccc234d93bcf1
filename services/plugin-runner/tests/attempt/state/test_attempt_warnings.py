"""The warnings of an attempt: the newest in the record, the older ones kept beside it, in bounded memory."""

from datetime import UTC, datetime

from forgesyte_contracts.jobs import MAX_WARNINGS, JobRecord
from forgesyte_contracts.warnings import MAX_WARNING_CHARS, JobWarning, Severity
from forgesyte_plugin_runner.attempt.state.attempt_warnings import MAX_OLDER_WARNINGS, AttemptWarnings, job_warning
from forgesyte_sandbox.shared import messages

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def a_running_record(**changes) -> JobRecord:
    facts = {"job_id": "job", "plugin_id": "seeker", "tools": ("seek",), "created_at": NOW, "updated_at": NOW}
    return JobRecord(**{**facts, **changes})


def warning(number: int) -> JobWarning:
    return JobWarning(text=f"warning {number}", frame_index=number)


def test_the_frame_comes_from_the_sandbox_s_message_and_not_from_its_text():
    assert job_warning(messages.Warning("frame 7 is odd", 2)) == JobWarning(text="frame 7 is odd", frame_index=2)
    assert job_warning(messages.Warning("frame 7 is odd")).frame_index is None
    assert job_warning(messages.Warning("odd")).severity is Severity.MEDIUM
    assert job_warning(messages.Warning("odd", severity="high")).severity is Severity.HIGH


def test_the_newest_warnings_are_kept_in_order():
    record = a_running_record()
    warnings = AttemptWarnings(record)

    for number in range(MAX_WARNINGS + 5):
        warnings.add(warning(number))

    written = warnings.apply(record)
    assert written.warnings == tuple(map(warning, range(5, MAX_WARNINGS + 5)))
    assert written.warnings_dropped == 5
    assert warnings.apply(written) == written
    assert AttemptWarnings(written).apply(written).warnings_dropped == 5


def test_warnings_that_do_not_fit_into_the_record_are_known_with_their_indexes():
    warnings = AttemptWarnings(a_running_record(warnings=("before",), warnings_dropped=7))
    for number in range(MAX_WARNINGS + 1):
        warnings.add(warning(number))
    record = warnings.apply(a_running_record())

    kept = warnings.beyond(record)

    assert record.warnings_dropped == 9
    assert kept[:3] == [(7, JobWarning(text="before")), (8, warning(0)), (9, warning(1))]
    assert kept[-1] == (58, warning(MAX_WARNINGS))


def test_nothing_is_beyond_a_record_that_holds_every_warning():
    warnings = AttemptWarnings(a_running_record(warnings_dropped=7))
    warnings.add(warning(1))

    assert warnings.beyond(warnings.apply(a_running_record())) == []


def test_a_child_that_warns_endlessly_fills_no_memory():
    warnings = AttemptWarnings(a_running_record())
    for number in range(MAX_OLDER_WARNINGS + 1000):
        warnings.add(JobWarning(text="x" * 10_000 + str(number)))

    kept = warnings.beyond(warnings.apply(a_running_record()))

    assert len(kept) == MAX_OLDER_WARNINGS + MAX_WARNINGS
    assert max(len(warning.text) for _, warning in kept) == MAX_WARNING_CHARS
    assert kept[-1][0] == MAX_OLDER_WARNINGS + 999

"""Warnings as data, and the plain texts that older records and blobs hold in their place."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.warnings import MAX_WARNING_CHARS, JobWarning, Severity

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_record_written_before_warnings_were_data_is_read():
    facts = {"job_id": "j", "plugin_id": "p", "tools": ["t"], "created_at": NOW.isoformat(), "expire_at": None}
    old = {**facts, "updated_at": NOW.isoformat(), "warnings": ["frame 7 is odd", "b"], "warnings_dropped": 3}

    record = JobRecord.model_validate_json(json.dumps(old))

    assert record.warnings == (JobWarning(text="frame 7 is odd"), JobWarning(text="b"))
    assert {(warning.frame_index, warning.severity) for warning in record.warnings} == {(None, Severity.MEDIUM)}
    assert JobRecord.model_validate_json(record.model_dump_json()) == record


def test_frame_and_severity_survive_the_record():
    warning = JobWarning(text="odd", frame_index=7, severity=Severity.HIGH)

    assert JobWarning.model_validate_json(warning.model_dump_json()) == warning


def test_a_frame_below_zero_is_refused():
    with pytest.raises(ValidationError):
        JobWarning(text="odd", frame_index=-1)


def test_a_long_text_is_cut_at_its_limit_and_keeps_its_facts():
    cut = JobWarning(text="x" * 600, frame_index=7, severity=Severity.LOW).cut()

    assert (len(cut.text), cut.text[-1]) == (MAX_WARNING_CHARS, "…")
    assert (cut.frame_index, cut.severity) == (7, Severity.LOW)

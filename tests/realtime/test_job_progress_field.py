"""`progress` of the extended job: an integer from 0 to 100, or null."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from forgesyte_contracts.http.jobs import ExtendedJobResponse

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def extended(**facts) -> ExtendedJobResponse:
    known = {
        "job_id": "a-job", "status": "running", "plugin_id": "p", "tool": "t", "tools": ("t",), "job_type": "video",
        "tools_total": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return ExtendedJobResponse(**known, **facts)


def test_progress_of_50_is_kept():
    assert extended(progress=50).progress == 50
    assert extended(progress=50).model_dump(mode="json")["progress"] == 50


def test_progress_is_an_int():
    assert type(extended(progress=50).progress) is int


def test_progress_is_none_by_default():
    assert extended().progress is None


@pytest.mark.parametrize("progress", [150, 101, -1, 50.5])
def test_progress_that_is_not_a_percentage_is_refused(progress):
    with pytest.raises(ValidationError):
        extended(progress=progress)

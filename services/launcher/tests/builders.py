"""Builders that several tests of the launcher use."""

from datetime import UTC, datetime, timedelta
from typing import Any

from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobStatus, JobType

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_job(**changes: Any) -> JobView:
    """A running job over one tool, with these changes."""
    facts: dict[str, Any] = {
        "job_id": new_job_id(),
        "status": JobStatus.RUNNING,
        "plugin_id": "motion-detector",
        "tool": "detect-motion",
        "tools": ("detect-motion",),
        "job_type": JobType.VIDEO,
        "tools_total": 1,
        "attempt": 1,
        "created_at": START,
        "started_at": START,
        "updated_at": START,
    }
    return JobView(**(facts | changes))


def an_ended_job(status: JobStatus = JobStatus.COMPLETED, *, seconds: float = 10.0, **changes: Any) -> JobView:
    """A job that ended after `seconds`, with these changes."""
    return a_job(status=status, completed_at=START + timedelta(seconds=seconds), **changes)

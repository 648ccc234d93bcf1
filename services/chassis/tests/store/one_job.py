"""The one job whose rows these tests store, as its record says which of them count."""

from datetime import UTC, datetime

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus, RowRange

JOB = JobId("01900000-0000-7000-8000-000000000001")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_record(*ranges: tuple[int, int, int], status: JobStatus = JobStatus.RUNNING) -> JobRecord:
    """Its record; a range of rows is attempt, first frame, and the frame after the last."""
    rows = tuple(RowRange(attempt=a, first_frame=first, end_frame=end) for a, first, end in ranges)
    return JobRecord(
        job_id=JOB, plugin_id="p", tools=("t",), status=status, rows=rows, created_at=_NOW, updated_at=_NOW
    )


def completed(record: JobRecord) -> JobRecord:
    """The same when all is done: its rows are read from the merged result."""
    return record.model_copy(update={"status": JobStatus.COMPLETED})

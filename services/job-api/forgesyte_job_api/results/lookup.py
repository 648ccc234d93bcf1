"""Finds one job: in memory while the feed is current, else on the bus, else in the store."""

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.projection import Projection

from .archive import Archive


def job_unknown(job_id: JobId) -> ForgeSyteError:
    """Make the error for an unknown id."""
    return ForgeSyteError(
        Code.JOB_UNKNOWN,
        f"there is no job {job_id}; it never existed, or it is older than the retention period",
        job_id=job_id,
    )


async def find_record(job_id: JobId, *, projection: Projection, bus: Bus, archive: Archive) -> JobRecord:
    """Find the record of a job.

    While the bus is unavailable, the last state seen is better than none: the client has seen it before.

    Raises:
        ForgeSyteError: JOB_UNKNOWN; SERVICE_UNAVAILABLE when the bus is unavailable and nothing else knows the job.
    """
    seen = projection.get(job_id)
    if seen is not None and (projection.is_current or seen.record.is_terminal):
        return seen.record
    try:
        stored = await bus.jobs.get(job_id)
    except ForgeSyteError:
        if seen is not None:
            return seen.record
        if (record := await archive.record(job_id)) is not None:
            return record
        raise
    if stored is not None:
        projection.apply(job_id, stored.record, stored.revision)
        return stored.record
    record = await archive.record(job_id)
    if record is None:
        raise job_unknown(job_id)
    return record

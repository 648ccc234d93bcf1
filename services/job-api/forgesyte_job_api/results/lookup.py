"""Finding one job: in memory while the feed is current, else on the bus, else in the store."""

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.projection import Projection

from .archive import Archive


def job_unknown(job_id: JobId) -> ForgeSyteError:
    """The error for an id that nobody knows."""
    return ForgeSyteError(
        Code.JOB_UNKNOWN, f"there is no job {job_id}; it never was, or it is older than the retention", job_id=job_id
    )


async def find_record(job_id: JobId, *, projection: Projection, bus: Bus, archive: Archive) -> JobRecord:
    """Find the record of a job.

    While the bus is away the last state seen is given rather than none: it is what the client was told before.

    Raises:
        ForgeSyteError: JOB_UNKNOWN; SERVICE_UNAVAILABLE when the bus is away and nothing else knows the job.
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

"""What stands in the bucket of job records, for tests that count jobs."""

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, JobFeed
from forgesyte_contracts.ids import JobId

from .waiting import eventually


async def job_ids(bus: Bus) -> list[JobId]:
    """Return the ids of all records, oldest first."""
    found: set[JobId] = set()
    async with bus.jobs.watch() as feed, beside(_collect(feed, found)):
        await eventually(lambda: feed.is_current, what="the snapshot of all records")
    return sorted(found)


async def _collect(feed: JobFeed, found: set[JobId]) -> None:
    async for change in feed:
        if change.record is not None:
            found.add(change.job_id)

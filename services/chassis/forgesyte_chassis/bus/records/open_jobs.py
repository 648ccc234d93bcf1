"""The jobs that have not ended: who owns them, and which are suspects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forgesyte_chassis.background import beside
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord

from .job_feed import JobFeed
from .records import Records


class OpenJobs:
    """A view of the bucket `jobs`; it may lag behind the bus, so each change must still be a compare-and-set.

    Attributes:
        changed: set at each change; for one reader, who clears it.
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._records: dict[JobId, JobRecord] = {}

    def owned_by(self, runner_id: str) -> list[JobRecord]:
        """Return the jobs whose running attempt belongs to this runner."""
        return [record for record in self._records.values() if record.owner == runner_id]

    def suspects(self) -> list[JobRecord]:
        """Return the jobs that may only run alone, the oldest first."""
        found = [record for record in self._records.values() if record.is_suspect]
        return sorted(found, key=lambda record: record.created_at)

    def take(self, job_id: JobId, record: JobRecord | None) -> None:
        """Take in a job as it is now; None when its record was removed."""
        if record is None or record.is_terminal:
            self._records.pop(job_id, None)
        else:
            self._records[job_id] = record
        self.changed.set()


@asynccontextmanager
async def following_open_jobs(records: Records) -> AsyncIterator[OpenJobs]:
    """Keep a view of the open jobs during the block; it fills while the block begins.

    Raises:
        BusUnavailable: the first watch could not be started.
    """
    jobs = OpenJobs()
    async with records.watch() as feed, beside(_follow(feed, jobs)):
        yield jobs


async def _follow(feed: JobFeed, jobs: OpenJobs) -> None:
    async for change in feed:
        jobs.take(change.job_id, change.record)

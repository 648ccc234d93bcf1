"""The changes of all job records, parsed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.streams import JOBS

from .bucket_feed import BucketFeed, watch_bucket

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of one record. `record` is None if it was removed.

    `is_anew`: the bucket went back, so this counts even if a higher revision of the record was seen before.
    """

    job_id: JobId
    record: JobRecord | None
    revision: int
    is_anew: bool = False


class JobFeed:
    """First every record as it is, then every change. `async for` over it yields Changed and never ends."""

    def __init__(self, feed: BucketFeed) -> None:
        self._feed = feed

    @property
    def is_current(self) -> bool:
        """Whether everything the bus had at the last check was passed on."""
        return self._feed.is_current

    @property
    def lag(self) -> int:
        """How many revisions the bus was ahead at the last check."""
        return self._feed.lag

    @property
    def behind_for_s(self) -> float:
        """Seconds since everything the bus had was passed on; 0 while it is."""
        return self._feed.behind_for_s

    async def __aiter__(self) -> AsyncIterator[Changed]:
        async for entry in self._feed:
            try:
                record = None if entry.data is None else JobRecord.model_validate_json(entry.data)
            except ValidationError:
                log.exception("record unreadable", job_id=entry.key, revision=entry.revision)
            else:
                yield Changed(JobId(entry.key), record, entry.revision, entry.is_anew)


@asynccontextmanager
async def watch_jobs(connection: Connection) -> AsyncIterator[JobFeed]:
    """Follow all records while the block runs. Raises BusUnavailable if the first watch cannot be started."""
    async with watch_bucket(connection, JOBS.name) as feed:
        yield JobFeed(feed)

"""All living jobs and the newest ended ones in memory, so that reading them costs the bus nothing.

Fed by the change feed of the bucket `jobs`; it decides nothing and can be rebuilt at any time. Records that have left
the bus stay listed, at most `history` of them; older ones are found by id in the store.
"""

import asyncio
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import ForgeSyteError

from .pending import PendingJobs

log = structlog.get_logger(__name__)

_RETRY_S = 0.5
_LOOK_EVERY_S = 0.02
_FAR_BEHIND_S = 5.0
"""A write on its way is no fault, and neither is a feed that stalls, as long as it renews itself (after 2 s)."""


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A record as it was last seen.

    `since_s` is the monotonic time in seconds at which this revision was first seen here: how long a job stays
    unchanged is measured from it, not by the clocks of other machines. `is_gone` means that it has left the bus.
    """

    record: JobRecord
    revision: int
    since_s: float
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one page, newest first, how many match in all, and the cursor of the next page."""

    records: list[JobRecord]
    count: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page is wanted: `before` is the last id of the page before it, `skip` an older way to say that.

    No `statuses` means jobs in any state.
    """

    limit: int
    statuses: frozenset[JobStatus] = frozenset()
    plugin: str | None = None
    before: JobId | None = None
    skip: int = 0

    def matches(self, record: JobRecord) -> bool:
        """Whether the record passes the filters."""
        is_in_state = not self.statuses or record.status in self.statuses
        return is_in_state and self.plugin in (None, record.plugin_id)


class _Currency(Protocol):
    @property
    def is_current(self) -> bool: ...

    @property
    def lag(self) -> int: ...

    @property
    def behind_for_s(self) -> float: ...


class Projection:
    """The jobs as this process last saw them.

    Attributes:
        pending: the jobs that wait for a runner, by key.
    """

    def __init__(self, *, history: int, clock: Clock) -> None:
        self.pending = PendingJobs()
        self._history = history
        self._clock = clock
        self._seen: dict[JobId, SeenJob] = {}
        self._ids: list[JobId] = []
        self._gone: list[JobId] = []
        self._feed: _Currency | None = None
        self._is_filled = False
        self._awaited: dict[JobId, set[asyncio.Event]] = {}

    @property
    def is_current(self) -> bool:
        """Whether the first snapshot has arrived and the feed has kept up since."""
        return self._feed is not None and self._feed.is_current

    @property
    def lag(self) -> float:
        """How many revisions the bus was ahead when the feed last checked; NaN while there is no feed."""
        feed = self._feed
        return math.nan if feed is None else feed.lag

    @property
    def is_far_behind(self) -> bool:
        """Whether the feed has been behind for more than 5 s, or there is none."""
        feed = self._feed
        return feed is None or feed.behind_for_s > _FAR_BEHIND_S

    async def run(self, bus: Bus) -> None:
        """Follow the feed until cancelled; when it breaks, start again from a snapshot."""
        while True:
            try:
                async with bus.jobs.watch() as feed:
                    self._feed = feed
                    async for change in feed:
                        self.apply(JobId(change.job_id), change.record, change.revision, is_anew=change.is_anew)
            except ForgeSyteError as error:
                log.warning("job feed broke", error=str(error))
            finally:
                self._feed = None
            await asyncio.sleep(_RETRY_S)

    async def wait_filled(self, limit_s: float) -> None:
        """Wait for the first snapshot, at most `limit_s` seconds; after that, return at once even without a bus."""
        if self._is_filled:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not self.is_current:  # noqa: ASYNC110  the feed has no event
                    await asyncio.sleep(_LOOK_EVERY_S)
                self._is_filled = True

    async def wait_ended(self, job_id: JobId, limit_s: float) -> JobRecord | None:
        """Wait at most `limit_s` seconds until the job has ended here; return its record, or None if it has not."""
        seen = self._seen.get(job_id)
        if seen is not None and seen.record.is_terminal:
            return seen.record
        ended = asyncio.Event()
        self._awaited.setdefault(job_id, set()).add(ended)
        try:
            if not await is_set_within(ended, limit_s):
                return None
        finally:
            self._awaited[job_id].discard(ended)
            if not self._awaited[job_id]:
                del self._awaited[job_id]
        return self._seen[job_id].record if job_id in self._seen else None

    def apply(self, job_id: JobId, record: JobRecord | None, revision: int, *, is_anew: bool = False) -> None:
        """Apply a change; one older than what is known has no effect.

        Args:
            job_id: the job that changed.
            record: its record; None when it has left the bus.
            revision: the revision it was written with.
            is_anew: the bus went back to an older state, so the change counts whatever its revision.
        """
        known = self._seen.get(job_id)
        is_older = known is not None and revision < known.revision
        is_same = known is not None and record is not None and revision == known.revision
        if (is_older or is_same) and not is_anew:
            return
        if record is not None:
            self._put(SeenJob(record, revision, self._clock.monotonic_s()))
        elif known is not None and known.record.is_terminal:
            self.remember(known.record, revision)
        else:
            self.forget(job_id)

    def remember(self, record: JobRecord, revision: int = 0) -> None:
        """Keep an ended job that is no longer on the bus; the oldest beyond the history are dropped."""
        job_id = JobId(record.job_id)
        self._put(SeenJob(record, revision, self._clock.monotonic_s(), is_gone=True))
        insort(self._gone, job_id)
        while len(self._gone) > self._history:
            self.forget(self._gone[0])

    def forget(self, job_id: JobId) -> None:
        """Drop a job."""
        if self._seen.pop(job_id, None) is None:
            return
        self.pending.forget(job_id)
        self._ids.pop(bisect_left(self._ids, job_id))
        if job_id in self._gone:
            self._gone.remove(job_id)

    def get(self, job_id: JobId) -> SeenJob | None:
        """Return the job as it was last seen, or None."""
        return self._seen.get(job_id)

    def records(self) -> list[JobRecord]:
        """Return every known job. The only method that another thread may call."""
        seen = list(self._seen.values())  # one step of the interpreter, so no change can interfere
        return [one.record for one in seen]

    def on_bus(self) -> list[SeenJob]:
        """Return every job whose record is on the bus, oldest first."""
        return [seen for seen in map(self._seen.__getitem__, self._ids) if not seen.is_gone]

    def page(self, query: PageQuery) -> Page:
        """Return one page of the jobs that match, newest first."""
        matching = list(self._newest_first(query.matches))
        start = query.skip
        if query.before is not None:
            before = query.before
            start += next((n for n, record in enumerate(matching) if record.job_id < before), len(matching))
        records = matching[start : start + query.limit]
        more = start + query.limit < len(matching)
        return Page(records, len(matching), records[-1].job_id if more and records else None)

    def _newest_first(self, matches: Callable[[JobRecord], bool]) -> Iterator[JobRecord]:
        for job_id in reversed(self._ids):
            record = self._seen[job_id].record
            if matches(record):
                yield record

    def _put(self, seen: SeenJob) -> None:
        job_id = JobId(seen.record.job_id)
        if job_id not in self._seen:
            insort(self._ids, job_id)
        elif self._seen[job_id].is_gone:
            self._gone.remove(job_id)
        self._seen[job_id] = seen
        self.pending.note(seen.record)
        if seen.record.is_terminal:
            for ended in self._awaited.get(job_id, ()):
                ended.set()

"""The job records: the single source of truth, changed only by compare-and-set.

`change` is the only way for a service to update a record. A write whose acknowledgement was lost may have succeeded;
its retry would then look as if another writer had been first. So each write carries a random `write_id`, and after
every refused or unanswered write the leader is asked for the current record.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from forgesyte_chassis.bus.connection.connection import REQUEST_LIMIT_S, Connection
from forgesyte_chassis.bus.errors import ApiRefusal, BusUnavailable
from forgesyte_chassis.waiting import retry
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.streams import JOBS

from .buckets import BucketStore, Value
from .job_feed import JobFeed, watch_jobs
from .record_size import RecordUnwritable, encoded

CHANGE_LIMIT_S = 15.0
_RETRY_WAIT_S = 0.1

Change = Callable[[JobRecord], JobRecord]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is in the bucket, and the revision that the next write must name."""

    record: JobRecord
    revision: int


class Records:
    """The bucket `jobs`."""

    def __init__(self, connection: Connection) -> None:
        self._bucket = BucketStore(connection, JOBS.name)

    async def get(self, job_id: str, *, timeout_s: float = REQUEST_LIMIT_S) -> Stored | None:
        """Return a record as the leader has it; None if there is none.

        Raises:
            BusUnavailable: no answer within `timeout_s` seconds.
        """
        value = await self._bucket.read(job_id, timeout_s=timeout_s)
        return None if value is None else _stored(job_id, value)

    async def create(self, record: JobRecord, *, limit_s: float = CHANGE_LIMIT_S) -> Stored:
        """Write the first record of a job.

        Raises:
            ForgeSyteError: INTERNAL if a record with this id already exists.
            RecordUnwritable: it is too large (REQUEST_INVALID), or cannot be written for another permanent reason.
            BusUnavailable: not within `limit_s` seconds; the record may exist.
        """
        ours = _Write(record)
        async with _deadline(limit_s) as left_s:
            while True:
                if await self._try(ours, 0, left_s()) and ours.revision:
                    return Stored(ours.record, ours.revision)
                found = await self._settled(record.job_id, left_s)
                if found is not None and found.record.write_id == ours.record.write_id:
                    return found
                if found is not None or ours.was_refused:
                    raise ForgeSyteError(Code.INTERNAL, f"Job {record.job_id} already exists.", job_id=record.job_id)

    async def change(
        self, job_id: str, fn: Change, *, known: Stored | None = None, limit_s: float = CHANGE_LIMIT_S
    ) -> Stored:
        """Apply `fn` to the record; the effect is that of exactly one application.

        `fn` may be called several times, each time with the leader's current record. It decides whether its caller may
        still write: it raises (moves.require_owner, an illegal move) to stop, and then nothing is written. If it
        returns the very record it received, there is nothing to write.

        Args:
            job_id: which record.
            fn: pure function from the current record to the new one.
            known: the record as the caller last saw it; saves the first read.
            limit_s: total time for all attempts, in seconds.

        Returns:
            The record as written, with its revision.

        Raises:
            ForgeSyteError: JOB_UNKNOWN if there is no record.
            RecordUnwritable: the new one is too large, or cannot be written for another permanent reason.
            BusUnavailable: no definite result within `limit_s` seconds; the last write may still have succeeded.
        """
        async with _deadline(limit_s) as left_s:
            ours: set[str] = set()
            stored = known or await self._present(job_id, left_s)
            while True:
                wanted = fn(stored.record)
                if wanted is stored.record:
                    return stored
                write = _Write(wanted)
                ours.add(write.record.write_id)
                if await self._try(write, stored.revision, left_s()):
                    return Stored(write.record, write.revision)
                stored = await self._present(job_id, left_s)
                if stored.record.write_id in ours:
                    return stored

    async def purge(self, job_id: str, *, revision: int | None = None) -> None:
        """Remove a record if it still has `revision` (None: unconditionally).

        Raises:
            ForgeSyteError: INTERNAL if the record has changed.
            BusUnavailable: no answer; it may be gone.
        """
        try:
            await self._bucket.remove(job_id, expected=revision)
        except ApiRefusal as refusal:
            if not refusal.is_lost_race:
                raise
            raise ForgeSyteError(
                Code.INTERNAL,
                f"Job {job_id} changed while it was being removed. Read it again before you retry.",
                job_id=job_id,
            ) from refusal

    def watch(self) -> AbstractAsyncContextManager[JobFeed]:
        """Follow all records: first every record as it is, then every change; the newest state is never missed."""
        return watch_jobs(self._bucket.connection)

    async def _try(self, write: "_Write", expected: int, left_s: float) -> bool:
        """Write once; return False if the leader must be asked for the current record."""
        try:
            write.revision = await self._bucket.write(
                write.record.job_id, write.data, expected=expected, timeout_s=min(REQUEST_LIMIT_S, left_s)
            )
        except ApiRefusal as refusal:
            if refusal.is_for_good:
                raise RecordUnwritable(Code.INTERNAL, refusal.detail, job_id=write.record.job_id) from refusal
            if not refusal.is_lost_race:
                raise
            write.was_refused = True
            return False
        except BusUnavailable:
            return False
        return True

    async def _settled(self, job_id: str, left_s: Callable[[], float]) -> Stored | None:
        """Return the record as the leader has it; retry while time is left."""

        async def read() -> Stored | None:
            await self._bucket.connection.wait_connected(left_s())
            return await self.get(job_id, timeout_s=min(REQUEST_LIMIT_S, left_s()))

        return await retry(
            read, on=BusUnavailable, every_s=_RETRY_WAIT_S, gives_up=lambda _fault: left_s() <= _RETRY_WAIT_S
        )

    async def _present(self, job_id: str, left_s: Callable[[], float]) -> Stored:
        stored = await self._settled(job_id, left_s)
        if stored is None:
            raise ForgeSyteError(Code.JOB_UNKNOWN, f"There is no job {job_id}.", job_id=job_id)
        return stored


class _Write:
    """One attempt to write: the record with its own write_id, as it will be read back, and the result."""

    def __init__(self, record: JobRecord) -> None:
        self.data, self.record = encoded(record.model_copy(update={"write_id": secrets.token_hex(8)}))
        self.revision = 0
        self.was_refused = False


@asynccontextmanager
async def _deadline(limit_s: float) -> AsyncIterator[Callable[[], float]]:
    """Yield a function that returns the seconds left; when none are left, BusUnavailable is raised."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    try:
        async with asyncio.timeout_at(end_s):
            yield lambda: max(end_s - loop.time(), 0.001)
    except TimeoutError as error:
        raise BusUnavailable(
            f"The job's record could not be confirmed within {limit_s:g} s; it may have been written."
        ) from error


def _stored(job_id: str, value: Value) -> Stored:
    try:
        return Stored(JobRecord.model_validate_json(value.data), value.revision)
    except ValidationError as error:
        raise ForgeSyteError(
            Code.INTERNAL, f"The record of job {job_id} at revision {value.revision} is unreadable.", job_id=job_id
        ) from error

"""Answers with the timelines of jobs: made from the rows in the store, and the newest answers kept.

Rows are summed in as many bins as there may be, and the sums folded into as many as a request wants. What was made last
is kept in memory up to a number of bytes, by job, attempt and rows: neither a page that polls a running job, nor one
that is opened again, nor a client that asks with other bins each time has the same rows read twice. A few are made at a
time, because each takes a core; requests for the same one wait for it. Beyond a number of requests more are refused.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_chassis.store.segments import read_rows
from forgesyte_chassis.turns import Turns
from forgesyte_contracts.http.timeline import ResultTimeline
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError

from .timeline_sums import TimelineSums, bins_of, folded

AT_ONCE = 2
MAX_ASKED = 32
"""How many requests may be answered or wait at the same time; more are refused with 429."""

KEPT_BYTES = 16 * 1024 * 1024

_BATCH_BYTES = 256 * 1024


class _Wanted(NamedTuple):
    job_id: str
    attempt: int
    has_ended: bool
    total_frames: int
    end_frame: int


class Timelines:
    """Makes timelines from the rows in a store.

    Attributes:
        asked: how many requests are being answered or wait.
    """

    def __init__(self, store: Store, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.asked = 0
        self._store = store
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[_Wanted, bytes] = OrderedDict()
        self._turns = Turns[_Wanted]()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def timeline(self, record: JobRecord, bins: int) -> bytes:
        """Return the timeline of a job as JSON, in at most `bins` bins.

        Raises:
            ForgeSyteError: JOB_UNKNOWN, because its rows are no longer in the store; TOO_MANY_REQUESTS.
        """
        if self.asked >= MAX_ASKED:
            text = f"{MAX_ASKED} requests for timelines are already being answered; try again shortly"
            raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text, job_id=JobId(record.job_id))
        self.asked += 1
        try:
            wanted = _wanted(record)
            full = await self._full(record, wanted)
            fewer = bins_of(wanted.total_frames, at_most=bins)
            if fewer == bins_of(wanted.total_frames):
                return full
            async with self._places:
                return await asyncio.to_thread(_in_fewer, full, fewer)
        finally:
            self.asked -= 1

    async def _full(self, record: JobRecord, wanted: _Wanted) -> bytes:
        async with self._turns.turn(wanted):
            if (known := self._kept.get(wanted)) is not None:
                self._kept.move_to_end(wanted)
                return known
            async with self._places:
                made = await self._made(record, wanted)
            self._keep(wanted, made)
            return made

    def _keep(self, wanted: _Wanted, made: bytes) -> None:
        self._kept[wanted] = made
        while sum(map(len, self._kept.values())) > self._kept_bytes:
            self._kept.popitem(last=False)

    async def _made(self, record: JobRecord, wanted: _Wanted) -> bytes:
        sums = TimelineSums(record.tools, bins=bins_of(wanted.total_frames), total_frames=wanted.total_frames)
        try:
            await self._read_into(sums, record)
        except BlobMissing as error:
            text = f"the rows of job {record.job_id} are no longer there"
            raise ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=JobId(record.job_id)) from error
        return await asyncio.to_thread(_document, sums, wanted)

    async def _read_into(self, sums: TimelineSums, record: JobRecord) -> None:
        batch: list[bytes] = []
        held = 0
        async for row in read_rows(self._store, record):
            batch.append(row)
            held += len(row)
            if held >= _BATCH_BYTES:
                await asyncio.to_thread(sums.add, batch)
                batch, held = [], 0
        await asyncio.to_thread(sums.add, batch)


def _wanted(record: JobRecord) -> _Wanted:
    end_frame = max((piece.end_frame for piece in record.rows), default=0)
    total = max(record.total_frames or 0, end_frame)
    return _Wanted(record.job_id, record.attempt, record.is_terminal, total, end_frame)


def _document(sums: TimelineSums, wanted: _Wanted) -> bytes:
    lanes, omitted = sums.lanes()
    timeline = ResultTimeline(
        job_id=wanted.job_id,
        attempt=wanted.attempt,
        complete=wanted.has_ended,
        bins=bins_of(wanted.total_frames),
        total_frames=wanted.total_frames,
        lanes=lanes,
        lanes_omitted=omitted,
    )
    return timeline.model_dump_json().encode()


def _in_fewer(document: bytes, bins: int) -> bytes:
    timeline = ResultTimeline.model_validate_json(document)
    lanes = folded(timeline.lanes, timeline.bins, bins)
    return timeline.model_copy(update={"bins": bins, "lanes": lanes}).model_dump_json().encode()

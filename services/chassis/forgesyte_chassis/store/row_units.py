"""The zstd frames in which a job's rows are stored: which ones count, and how each is read with the times of its rows.

The record says which rows count (`rows`: attempt, first frame, end frame). A segment of another attempt, or one that
was written but never committed because its runner died, exists but is not read. Never writes.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus, RowRange
from forgesyte_contracts.subjects import parse_segment, result_rows_blob, segment_folder

from .blobs import BlobMissing, Store
from .rowfile import FOOT_BYTES, IndexEntry, frame_index_of, index_bytes, times_bytes, unpack, unpack_index
from .rowtimes import FrameTimes, unpack_times

TAIL_BYTES = 64 * 1024
"""How much of the end of a row file is read first: enough for most whole segments and every ordinary index."""

AHEAD_BYTES = 1024 * 1024
"""How much of a row file is read per request: an object store needs tens of milliseconds for each."""


class RowFile:
    """A row file in the store: its index, its end with the times of short files, and the range that was read last."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path
        self._size = 0
        self._tail = b""
        self._at = 0
        self._data = b""

    async def index(self) -> list[IndexEntry]:
        """Read the index from the end of the file."""
        self._tail, self._size = await self._store.tail(self._path, TAIL_BYTES)
        needed = index_bytes(self._tail[-FOOT_BYTES:])
        if needed > len(self._tail):
            self._tail, self._size = await self._store.tail(self._path, needed)
        return unpack_index(self._tail[-needed:], self._size)

    async def frame(self, entry: IndexEntry) -> bytes:
        """Read one zstd frame."""
        return await self._piece(entry.offset, entry.length)

    async def times(self, entry: IndexEntry) -> bytes:
        """Read the times of one zstd frame; nothing when the file has none for it."""
        return await self._piece(entry.times_offset, times_bytes(entry.rows)) if entry.times_offset else b""

    async def _piece(self, begin: int, length: int) -> bytes:
        """Read a part of the file; the following bytes are read along, since they are needed next."""
        end, tail_at = begin + length, self._size - len(self._tail)
        if tail_at <= begin:
            piece = self._tail[begin - tail_at : end - tail_at]
        else:
            if not self._at <= begin <= end <= self._at + len(self._data):
                stop = min(max(end, begin + AHEAD_BYTES), self._size)
                self._data = await self._store.get_range(self._path, begin, stop)
                self._at = begin
            piece = self._data[begin - self._at : end - self._at]
        if len(piece) != length:
            raise BlobMissing(self._path)  # replaced or truncated since its index was read
        return piece


@dataclass(frozen=True, slots=True)
class RowUnit:
    """One zstd frame of a row file. With `end_frame`, rows from that frame index on are ignored."""

    file: RowFile
    entry: IndexEntry
    end_frame: int | None = None

    async def rows(self, from_frame: int = 0) -> list[bytes]:
        """Return the rows from a frame index on."""
        rows = await asyncio.to_thread(unpack, await self.file.frame(self.entry), self.entry)
        if self.entry.first_frame < from_frame:
            rows = [row for row in rows if frame_index_of(row) >= from_frame]
        if (end := self.end_frame) is not None:
            rows = [row for row in rows if frame_index_of(row) < end]
        return rows

    async def times(self, from_frame: int = 0) -> FrameTimes | None:
        """Return the times of the same rows; None when they were stored without."""
        data = await self.file.times(self.entry)
        if not data:
            return None
        times = await asyncio.to_thread(unpack_times, data, self.entry)
        end = len(times) if self.end_frame is None else bisect_left(times.frame_index, self.end_frame)
        return times.part(bisect_left(times.frame_index, from_frame), end)


async def row_units(store: Store, record: JobRecord, from_frame: int = 0) -> AsyncIterator[RowUnit]:
    """Find the rows of a job: those of the merged result of a completed job, else the ones committed so far.

    Args:
        store: the store.
        record: the job; `status` and `rows` decide what is read.
        from_frame: the first frame index wanted; a zstd frame that lies before it is left out.

    Raises:
        BlobMissing: a blob that the record names is missing.
        RowsDamaged: stored rows are not what was written.
    """
    job_id = JobId(record.job_id)
    if record.status is JobStatus.COMPLETED:
        for unit in await _open(store, result_rows_blob(job_id, record.attempt), from_frame):
            yield unit
        return
    if not record.rows:
        return
    paths = await store.list(segment_folder(job_id))
    for committed in record.rows:
        async for unit in _committed_units(store, paths, committed, from_frame):
            yield unit


async def _committed_units(
    store: Store, paths: Sequence[str], committed: RowRange, from_frame: int
) -> AsyncIterator[RowUnit]:
    if from_frame >= committed.end_frame:
        return
    segments = _segments_of(paths, committed)
    begins = [first_frame for first_frame, _ in segments]
    held: RowUnit | None = None
    for _, path in segments[max(0, bisect_right(begins, from_frame) - 1) :]:
        for unit in await _open(store, path, from_frame):
            if unit.entry.first_frame >= committed.end_frame:
                break
            if held is not None:
                yield held
            held = unit
    if held is not None:
        yield replace(held, end_frame=committed.end_frame)


def _segments_of(paths: Sequence[str], committed: RowRange) -> list[tuple[int, str]]:
    found = []
    for path in paths:
        attempt, first_frame = parse_segment(path)
        if attempt == committed.attempt and committed.first_frame <= first_frame < committed.end_frame:
            found.append((first_frame, path))
    return sorted(found)


async def _open(store: Store, path: str, from_frame: int) -> list[RowUnit]:
    """Return the zstd frames of a row file, starting with the one that may contain `from_frame`."""
    file = RowFile(store, path)
    entries = await file.index()
    begin = bisect_right(entries, from_frame, key=lambda entry: entry.first_frame) - 1
    return [RowUnit(file, entry) for entry in entries[max(0, begin) :]]

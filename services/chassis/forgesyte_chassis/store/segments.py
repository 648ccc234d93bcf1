"""Rows of a job in the store: written in segments as they are produced, merged when the job ends, read from either.

The record says which rows count (`rows`: attempt, first frame, end frame). A segment of another attempt, or one that
was written but never committed because its runner died, exists but is not read. At most the rows of one zstd frame are
in memory, however long the video is.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus, RowRange
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import parse_segment, result_rows_blob, segment_blob, segment_folder

from .blobs import BlobMissing, Store
from .rowfile import (
    FOOT_BYTES,
    IndexEntry,
    RowsDamaged,
    frame_index_of,
    index_bytes,
    pack,
    pack_index,
    unpack,
    unpack_index,
)

TAIL_BYTES = 64 * 1024
"""How much of the end of a row file is read first: enough for most whole segments and every ordinary index."""

AHEAD_BYTES = 1024 * 1024
"""How much of a row file is read per request: an object store needs tens of milliseconds for each."""


class SegmentTaken(ForgeSyteError):
    """Another segment of this attempt at this frame exists: the attempt's number was assigned twice."""

    def __init__(self, job_id: JobId, attempt: int, first_frame: int) -> None:
        text = f"attempt {attempt} of job {job_id} already has a segment at frame {first_frame}, with other rows"
        super().__init__(Code.INTERNAL, text, job_id=job_id)


class _Blob:
    """A row file in the store: its index, and the range that was read last."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path
        self._size = 0
        self._at = 0
        self._data = b""

    async def index(self) -> list[IndexEntry]:
        """Read the index from the end of the file."""
        self._data, self._size = await self._store.tail(self._path, TAIL_BYTES)
        needed = index_bytes(self._data[-FOOT_BYTES:])
        if needed > len(self._data):
            self._data, self._size = await self._store.tail(self._path, needed)
        self._at = self._size - len(self._data)
        return unpack_index(self._data[-needed:], self._size)

    async def frame(self, entry: IndexEntry) -> bytes:
        """Read one zstd frame; the following bytes are read along, since they are needed next."""
        end = entry.offset + entry.length
        if not self._at <= entry.offset <= end <= self._at + len(self._data):
            stop = min(max(end, entry.offset + AHEAD_BYTES), self._size)
            self._data = await self._store.get_range(self._path, entry.offset, stop)
            self._at = entry.offset
        frame = self._data[entry.offset - self._at : end - self._at]
        if len(frame) != entry.length:
            raise BlobMissing(self._path)  # replaced or truncated since its index was read
        return frame


@dataclass(frozen=True, slots=True)
class _Unit:
    """One zstd frame of a row file. With `end_frame`, rows from that frame index on are ignored."""

    blob: _Blob
    entry: IndexEntry
    end_frame: int | None = None

    async def rows(self, from_frame: int = 0) -> list[bytes]:
        rows = await asyncio.to_thread(unpack, await self.blob.frame(self.entry), self.entry)
        if self.entry.first_frame < from_frame:
            rows = [row for row in rows if frame_index_of(row) >= from_frame]
        if (end := self.end_frame) is not None:
            rows = [row for row in rows if frame_index_of(row) < end]
        return rows


def encode_segment(first_frame: int, rows: Sequence[bytes]) -> bytes:
    """Return the bytes of a segment: rows as JSON lines in zstd (one frame, or several if large) and their index.

    Args:
        first_frame: the lowest possible frame index of the first row; with skipped frames the row's own is higher.
        rows: JSON without newlines, at least one, in frame order.

    Raises:
        ValueError: no rows, a row with a newline or too long, or a first row before `first_frame`.
    """
    if not rows or frame_index_of(rows[0]) < first_frame:
        raise ValueError(f"expected at least one row and none before frame {first_frame}, found {len(rows)} rows")
    data, entries = pack(rows)
    return data + pack_index(entries)


async def write_segment(store: Store, job_id: JobId, attempt: int, first_frame: int, rows: Sequence[bytes]) -> int:
    """Write one segment; it counts once the record commits it.

    An existing segment with exactly these rows is this attempt's own write, whose answer was lost. One with other rows
    belongs to another attempt: a bus that was restored from an older copy assigns an attempt's number a second time.

    Returns:
        The number of bytes written.

    Raises:
        SegmentTaken: another segment of this attempt at this frame exists.
    """
    data = await asyncio.to_thread(encode_segment, first_frame, rows)
    path = segment_blob(job_id, attempt, first_frame)
    if not await store.create(path, data) and await store.get(path) != data:
        raise SegmentTaken(job_id, attempt, first_frame)
    return len(data)


async def read_rows(
    store: Store, record: JobRecord, *, from_frame: int = 0, limit: int | None = None
) -> AsyncIterator[bytes]:
    """Read a job's rows: the merged result of a completed job, else the rows committed so far.

    Args:
        store: the store.
        record: the job; `status` and `rows` decide what is read.
        from_frame: the first frame index wanted; earlier zstd frames are not decompressed.
        limit: the maximum number of rows; None means all.

    Yields:
        One JSON line per row, without newline, in frame order.

    Raises:
        BlobMissing: a blob that the record names is missing.
        RowsDamaged: stored rows are not what was written.
    """
    left = limit
    async for unit in _units(store, record, from_frame):
        if left is not None and left <= 0:
            return
        rows = await unit.rows(from_frame)
        for row in rows[:left]:
            yield row
        if left is not None:
            left -= len(rows)


async def merge_segments(store: Store, record: JobRecord) -> int:
    """Write the merged result from the committed segments: their zstd frames one after the other, and one index.

    Frames are copied unchanged; only the last one of each committed range is compressed again, without rows beyond the
    range.

    Returns:
        The number of rows merged.

    Raises:
        BlobMissing: a committed segment is missing.
        RowsDamaged: a committed segment is not what was written, or segments overlap.
    """
    running = record.model_copy(
        update={"status": JobStatus.RUNNING}
    )  # reads the segments, whatever the record's status
    entries: list[IndexEntry] = []
    path = result_rows_blob(JobId(record.job_id), record.attempt)
    await store.put_stream(path, _merged(store, running, entries))
    return sum(entry.rows for entry in entries)


async def _merged(store: Store, record: JobRecord, entries: list[IndexEntry]) -> AsyncIterator[bytes]:
    """Yield the merged file in pieces; `entries` is its complete index afterwards."""
    offset = 0
    async for unit in _units(store, record, 0):
        if unit.end_frame is None:
            data, made = await unit.blob.frame(unit.entry), [replace(unit.entry, offset=offset)]
        else:
            data, made = await asyncio.to_thread(pack, await unit.rows(), offset=offset)
        if entries and made and made[0].first_frame < entries[-1].first_frame + entries[-1].rows:
            raise RowsDamaged(f"segments overlap at frame {made[0].first_frame}")
        entries += made
        offset += len(data)
        if data:
            yield data
    yield pack_index(entries)


async def _units(store: Store, record: JobRecord, from_frame: int) -> AsyncIterator[_Unit]:
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
) -> AsyncIterator[_Unit]:
    if from_frame >= committed.end_frame:
        return
    segments = _segments_of(paths, committed)
    begins = [first_frame for first_frame, _ in segments]
    held: _Unit | None = None
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


async def _open(store: Store, path: str, from_frame: int) -> list[_Unit]:
    """Return the zstd frames of a row file, starting with the one that may contain `from_frame`."""
    blob = _Blob(store, path)
    entries = await blob.index()
    begin = bisect_right(entries, from_frame, key=lambda entry: entry.first_frame) - 1
    return [_Unit(blob, entry) for entry in entries[max(0, begin) :]]

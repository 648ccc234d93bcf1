"""Rows of a job in the store: written in segments as they are produced, merged when the job ends, read from either.

At most the rows of one zstd frame are in memory, however long the video is; while the result is merged, the times of
its frames too, twelve bytes each.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import result_rows_blob, segment_blob

from .blobs import Store
from .row_units import RowUnit, row_units
from .rowfile import IndexEntry, RowsDamaged, frame_index_of, pack, pack_index
from .rowtimes import FrameTimes, place_times, split_times


class SegmentTaken(ForgeSyteError):
    """Another segment of this attempt at this frame exists: the attempt's number was assigned twice."""

    def __init__(self, job_id: JobId, attempt: int, first_frame: int) -> None:
        text = f"attempt {attempt} of job {job_id} already has a segment at frame {first_frame}, with other rows"
        super().__init__(Code.INTERNAL, text, job_id=job_id)


def encode_segment(first_frame: int, rows: Sequence[bytes], times: FrameTimes | None = None) -> bytes:
    """Return the bytes of a segment: rows as JSON lines in zstd (one frame, or several if large), times, index.

    Args:
        first_frame: the lowest possible frame index of the first row; with skipped frames the row's own is higher.
        rows: JSON without newlines, at least one, in frame order.
        times: when the frames of these rows are shown; None stores them without, as older versions did.

    Raises:
        ValueError: no rows, a row with a newline or too long, a first row before `first_frame`, times of other rows.
    """
    if not rows or frame_index_of(rows[0]) < first_frame:
        raise ValueError(f"expected at least one row and none before frame {first_frame}, found {len(rows)} rows")
    data, entries = pack(rows)
    if times is None:
        return data + pack_index(entries)
    if len(times) != len(rows) or times.frame_index[0] != entries[0].first_frame:
        raise ValueError(f"expected the times of {len(rows)} rows, found {len(times)}")
    parts = split_times(times, entries)
    return b"".join([data, *parts, pack_index(place_times(entries, parts, offset=len(data)))])


async def write_segment(
    store: Store,
    job_id: JobId,
    attempt: int,
    first_frame: int,
    rows: Sequence[bytes],
    times: FrameTimes | None = None,
) -> int:
    """Write one segment; it counts once the record commits it.

    An existing segment with exactly these rows is this attempt's own write, whose answer was lost. One with other rows
    belongs to another attempt: a bus that was restored from an older copy assigns an attempt's number a second time.

    Returns:
        The number of bytes written.

    Raises:
        SegmentTaken: another segment of this attempt at this frame exists.
    """
    data = await asyncio.to_thread(encode_segment, first_frame, rows, times)
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
    async for unit in row_units(store, record, from_frame):
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
    times: list[bytes] = []
    async for unit in row_units(store, record):
        data, made, kept = await _taken_over(unit, offset)
        if entries and made and made[0].first_frame < entries[-1].first_frame + entries[-1].rows:
            raise RowsDamaged(f"segments overlap at frame {made[0].first_frame}")
        entries += made
        times += kept
        offset += len(data)
        if data:
            yield data
    for each in filter(None, times):
        yield each
    entries[:] = place_times(entries, times, offset=offset)
    yield pack_index(entries)


async def _taken_over(unit: RowUnit, offset: int) -> tuple[bytes, list[IndexEntry], list[bytes]]:
    """Return the zstd frames that one becomes in the merged file at `offset`, their index entries and their times."""
    if unit.end_frame is None:
        times = await unit.file.times(unit.entry)
        return await unit.file.frame(unit.entry), [replace(unit.entry, offset=offset)], [times]
    data, made = await asyncio.to_thread(pack, await unit.rows(), offset=offset)
    cut = await unit.times()
    return data, made, [b"" for _ in made] if cut is None else split_times(cut, made)

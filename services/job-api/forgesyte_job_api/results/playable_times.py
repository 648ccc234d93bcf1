"""The times of a copy's frames: what its sandbox left is checked, kept as a frame table, and read again."""

import asyncio
import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_contracts.http.frame_table import (
    PIXEL_ASPECT,
    FrameTableHead,
    TableOf,
    decode_times,
    encode_frame_table,
    times_span,
)
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import playable_times_blob

from .playable_facts import PlayableFacts

_MAX_TIME_US = 2**53
"""The highest that a table can hold exactly."""


def copy_head(record: JobRecord, facts: PlayableFacts) -> FrameTableHead:
    """Return what the table of a copy says of it as a whole: it is upright, and no frames come any more."""
    pixel_aspect = facts.pixel_aspect or ""
    return FrameTableHead(
        job_id=record.job_id,
        of=TableOf.PLAYABLE,
        attempt=record.attempt,
        complete=True,
        width=facts.width or 0,
        height=facts.height or 0,
        rotation=0,
        pixel_aspect=pixel_aspect if PIXEL_ASPECT.fullmatch(pixel_aspect) else None,
    )


def packed_times(record: JobRecord, facts: PlayableFacts, left: Path) -> bytes:
    """Return the table of a copy as it is kept.

    Args:
        record: the job.
        facts: what the sandbox said of the copy.
        left: the file of times that it left.

    Raises:
        ForgeSyteError: MEDIA_INVALID, the times are not those of the copy: the media may have taken the sandbox over.
    """
    is_of_all = left.stat().st_size == 8 * (facts.frames or 0)
    times = array("q", left.read_bytes() if is_of_all else b"")
    if sys.byteorder == "big":
        times.byteswap()
    if not _are_sane(times):
        text = f"the playable copy could not be made: its sandbox left no rising times of {facts.frames} frames"
        raise ForgeSyteError(Code.MEDIA_INVALID, text, job_id=record.job_id)
    return encode_frame_table(copy_head(record, facts), range(len(times)), times)


async def read_copy_times(
    store: Store, job_id: JobId, facts: PlayableFacts, *, from_frame: int, limit: int
) -> FrameTimes:
    """Return a part of the table of a copy; no more of it is read.

    Args:
        store: the store.
        job_id: the job.
        facts: of the copy.
        from_frame: the first frame index wanted.
        limit: the maximum number of frames.

    Raises:
        ForgeSyteError: JOB_UNKNOWN, it was removed.
        ValueError: it is shorter than the copy.
    """
    end = min(from_frame + limit, facts.frames or 0)
    if from_frame >= end:
        return FrameTimes()
    start_byte, end_byte = times_span(from_frame, end)
    try:
        data = await store.get_range(playable_times_blob(job_id), start_byte, end_byte)
    except BlobMissing:
        text = f"the frame table of the copy of job {job_id} no longer exists"
        raise ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=job_id) from None
    if len(data) != end_byte - start_byte:
        raise ValueError(f"expected {end_byte - start_byte} bytes of times, found {len(data)}")
    times = await asyncio.to_thread(decode_times, data)
    return FrameTimes(array("I", range(from_frame, end)), times)


def _are_sane(times: Sequence[int]) -> bool:
    rise = all(one < other for one, other in pairwise(times))
    return bool(times) and times[0] >= 0 and times[-1] <= _MAX_TIME_US and rise

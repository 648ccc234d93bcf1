"""When each frame of a job is shown: the table as JSON and in its binary form, which docs/api.md describes.

A page that draws boxes looks up the timestamp of the picture it shows, and never computes with a frame rate. The binary
form is what it fetches: 8 bytes a frame, read by `new Float64Array(buffer, 48, count)`.
"""

import re
import struct
import sys
from array import array
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict

from forgesyte_contracts.ids import JobIdText

FRAMES_TYPE = "application/vnd.forgesyte.frames"
"""The media type of the binary form."""

PIXEL_ASPECT = re.compile(r"([1-9]\d{0,9}):([1-9]\d{0,9})", re.ASCII)
"""The form of a pixel aspect."""

_HEADER = struct.Struct("<8sHHIIIIIHHH10x")
_MAGIC = b"FsFrames"
_VERSION = 1
_COMPLETE, _SPARSE, _OF_PLAYABLE = 1, 2, 4
_MOST_ASPECT = 2**16 - 1
_TIME_BYTES = 8


class TableOf(StrEnum):
    """Which video a frame table is of."""

    INPUT = "input"
    PLAYABLE = "playable"


class FrameTableHead(BaseModel):
    """What a frame table says of the video as a whole."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    job_id: JobIdText
    """The job."""

    of: TableOf = TableOf.INPUT
    """Which video the times are of."""

    attempt: int
    """The attempt that the job has come to; a table of an earlier one is out of date."""

    complete: bool
    """Whether the job is completed, so that no further frames come."""

    width: int
    """Width of the upright picture in pixels, before its pixel aspect is applied; until the first frame, what the
    headers of the upload state."""

    height: int
    """Height of the upright picture in pixels; likewise."""

    rotation: Literal[0, 90, 180, 270]
    """Degrees clockwise by which pictures were turned upright."""

    pixel_aspect: str | None
    """Shape of an upright pixel as width:height; null for images and until the first frame."""


class FrameTable(FrameTableHead):
    """Which frames have a row, and when each is shown; both lists are equally long and in frame order."""

    frame_index: list[int]
    """The frames: every one that has a row."""

    time_us: list[int]
    """When each is shown on the timeline of its file, in microseconds: as FFmpeg reads it, after an edit list, with the
    offset at which the file starts. Never falls."""


def encode_frame_table(head: FrameTableHead, frame_index: Sequence[int], time_us: Sequence[int]) -> bytes:
    """Return the binary form of a table.

    Args:
        head: what it says of the video.
        frame_index: the frames, rising.
        time_us: when each is shown.
    """
    count = len(frame_index)
    is_sparse = count > 0 and frame_index[-1] - frame_index[0] != count - 1
    flags = head.complete * _COMPLETE | is_sparse * _SPARSE | (head.of is TableOf.PLAYABLE) * _OF_PLAYABLE
    header = _HEADER.pack(
        _MAGIC,
        _VERSION,
        flags,
        head.attempt,
        count,
        frame_index[0] if count else 0,
        head.width,
        head.height,
        head.rotation,
        *_aspect_of(head.pixel_aspect),
    )
    return b"".join([header, _little("d", time_us), _little("I", frame_index) if is_sparse else b""])


def decode_frame_table(data: bytes, job_id: str) -> FrameTable:
    """Read the binary form of a table, as a client does.

    Args:
        data: what encode_frame_table() returned.
        job_id: the job that was asked about, which the binary form does not repeat.

    Raises:
        ValueError: it is no frame table of this version, or its length is not what it says.
    """
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise ValueError("expected a frame table, found something else")
    _, version, flags, attempt, count, first, width, height, rotation, over, under = _HEADER.unpack_from(data)
    is_sparse = bool(flags & _SPARSE)
    expected = _HEADER.size + count * (12 if is_sparse else 8)
    if version != _VERSION or len(data) != expected:
        raise ValueError(f"expected version {_VERSION} and {expected} bytes, found {version} and {len(data)} bytes")
    begin, end = times_span(0, count)
    indexes = struct.unpack_from(f"<{count}I", data, end) if is_sparse else None
    return FrameTable(
        job_id=job_id,
        of=TableOf.PLAYABLE if flags & _OF_PLAYABLE else TableOf.INPUT,
        attempt=attempt,
        complete=bool(flags & _COMPLETE),
        width=width,
        height=height,
        rotation=rotation,
        pixel_aspect=f"{over}:{under}" if over else None,
        frame_index=list(range(first, first + count) if indexes is None else indexes),
        time_us=decode_times(data[begin:end]).tolist(),
    )


def times_span(begin: int, end: int) -> tuple[int, int]:
    """Return where the times of the frames begin <= place < end are in the binary form: from which byte to which.

    >>> times_span(0, 3)
    (48, 72)
    """
    return _HEADER.size + _TIME_BYTES * begin, _HEADER.size + _TIME_BYTES * end


def decode_times(data: bytes) -> "array[int]":
    """Read what times_span() says of the binary form, without the rest of it.

    Raises:
        ValueError: it is no whole number of times.
    """
    times = array("d")
    times.frombytes(data)
    if sys.byteorder == "big":
        times.byteswap()
    return array("q", map(int, times))


def _little(kind: str, numbers: Sequence[int]) -> bytes:
    packed = array(kind, numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _aspect_of(text: str | None) -> tuple[int, int]:
    """Return a pixel aspect as two 16-bit numbers, the nearest there are; zeros when it is not known.

    >>> _aspect_of("4:3"), _aspect_of(None), _aspect_of("100000:1"), _aspect_of("200000:100000")
    ((4, 3), (0, 0), (0, 0), (2, 1))
    """
    found = PIXEL_ASPECT.fullmatch(text or "")
    if found is None:
        return 0, 0
    aspect = Fraction(int(found[1]), int(found[2])).limit_denominator(_MOST_ASPECT)
    return aspect.as_integer_ratio() if 0 < aspect.numerator <= _MOST_ASPECT else (0, 0)

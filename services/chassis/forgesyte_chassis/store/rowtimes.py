"""When the frames of stored rows are shown: the times beside the rows of a row file.

The times of one zstd frame are a skippable frame of their own: a checksum, the times of its rows as 64-bit numbers, the
frame indexes of its rows as 32-bit numbers, all little endian. Their size follows from the number of rows, which the
index bounds, so nothing has to be decompressed and no file decides how much memory is taken.

Rejected: times in the rows, because a client that wants 100 000 times would wait until every row is read; a compressed
table, which would save 1 MB there.
"""

import struct
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from .rowfile import TIME_BYTES, TIMES_HEAD, IndexEntry, RowsDamaged, times_bytes

_SKIPPABLE_MAGIC = 0x184D2A5E


@dataclass(slots=True)
class FrameTimes:
    """Frames in rising order, and when each is shown: microseconds on the timeline of its container."""

    frame_index: "array[int]" = field(default_factory=lambda: array("I"))
    time_us: "array[int]" = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "FrameTimes":
        """Make it of pairs of frame index and time."""
        known = list(pairs)
        return cls(array("I", [frame_index for frame_index, _ in known]), array("q", [time_us for _, time_us in known]))

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.frame_index)

    def part(self, begin: int, end: int | None = None) -> "FrameTimes":
        """Return the entries from place `begin` to the one before `end`."""
        return FrameTimes(self.frame_index[begin:end], self.time_us[begin:end])

    def extend(self, more: "FrameTimes") -> None:
        """Append later frames."""
        self.frame_index.extend(more.frame_index)
        self.time_us.extend(more.time_us)


def pack_times(times: FrameTimes) -> bytes:
    """Return the times of the rows of one zstd frame as they are stored."""
    count = len(times)
    body = struct.pack(f"<{count}q{count}I", *times.time_us, *times.frame_index)
    return TIMES_HEAD.pack(_SKIPPABLE_MAGIC, len(body) + 4, zlib.crc32(body)) + body


def unpack_times(data: bytes, entry: IndexEntry) -> FrameTimes:
    """Read the times of one zstd frame.

    Args:
        data: times_bytes(entry.rows) bytes from `entry.times_offset`.
        entry: the zstd frame.

    Raises:
        RowsDamaged: they are damaged, or not those of the rows that the index names.
    """
    if len(data) != times_bytes(entry.rows):
        raise RowsDamaged(f"the times of {entry.rows} rows have {len(data)} bytes")
    body = data[TIMES_HEAD.size :]
    if TIMES_HEAD.unpack_from(data) != (_SKIPPABLE_MAGIC, len(body) + 4, zlib.crc32(body)):
        raise RowsDamaged("the times of rows have a wrong head or checksum")
    count = len(body) // TIME_BYTES
    numbers = struct.unpack(f"<{count}q{count}I", body)
    times = FrameTimes(array("I", numbers[count:]), array("q", numbers[:count]))
    if times.frame_index[0] != entry.first_frame or any(b <= a for a, b in pairwise(times.frame_index)):
        raise RowsDamaged(f"the times of the rows from frame {entry.first_frame} on are those of others")
    return times


def split_times(times: FrameTimes, entries: Sequence[IndexEntry]) -> list[bytes]:
    """Return the times of the rows of several zstd frames as they are stored, one item for each frame."""
    ends = accumulate(entry.rows for entry in entries)
    return [pack_times(times.part(end - entry.rows, end)) for entry, end in zip(entries, ends, strict=True)]


def place_times(entries: Sequence[IndexEntry], times: Sequence[bytes], *, offset: int) -> list[IndexEntry]:
    """Return the index entries with the places of their times.

    Args:
        entries: one for each zstd frame.
        times: its times as they are stored; empty where there are none.
        offset: position of the first of them in the file, in bytes.
    """
    begins = list(accumulate(map(len, times), initial=offset))[:-1]
    together = zip(entries, times, begins, strict=True)
    return [replace(entry, times_offset=begin if one else 0) for entry, one, begin in together]

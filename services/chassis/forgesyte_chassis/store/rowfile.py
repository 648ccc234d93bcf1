"""The format of stored rows: JSON lines in zstd frames, the times of their frames, and an index at the end.

A row file is a sequence of independent zstd frames of whole lines; then, for each of them, a skippable frame with the
times of its rows (see rowtimes.py); then a skippable frame with the index: for each zstd frame the frame index of its
first row, its number of rows, its position, and that of its times. `zstd -dc` prints the rows and skips the rest; a
reader that starts in the middle reads the index and decompresses one frame. Times lie side by side, so that all of them
are read without the rows. A segment and a merged result have the same format. A file whose index ends with `FsRows1`
was written before there were times: it is read as one without.

Nothing that a file says about itself is trusted: sizes are checked before memory is allocated, decompression stops at a
limit whatever the frame announces, and checksums protect frames and index. Rejected: zstd's "seekable format" (its
table counts bytes, not rows) and a single frame (reading cannot start in the middle).
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

import orjson
import zstandard

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import MAX_ROW_BYTES

FRAME_BYTES = 1024 * 1024
"""A zstd frame is closed once it has this many bytes of rows, so it exceeds this by at most one row."""

MAX_LINE_BYTES = 16 * MAX_ROW_BYTES
"""Maximum length of a line: one output of MAX_ROW_BYTES per tool, for sixteen tools."""

MAX_FRAME_BYTES = FRAME_BYTES + MAX_LINE_BYTES
"""Maximum decompressed size of a zstd frame; anything larger is a decompression bomb."""

MAX_ROWS = FRAME_BYTES // 2 + 1
"""More rows than this are never in one zstd frame: each is a line of at least one character."""

MAX_INDEX_BYTES = 64 * 1024 * 1024

_LEVEL = 3
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_SKIPPABLE_MAGIC = 0x184D2A5F
_INDEX_MAGIC = b"FsRows2\n"
_HEAD = struct.Struct("<II")  # of the skippable frame: magic, bytes that follow
_ENTRY = struct.Struct("<QIQIQ")  # first frame, rows, offset, length, offset of the times (0: it has none)
_ENTRIES = {_INDEX_MAGIC: _ENTRY, b"FsRows1\n": struct.Struct("<QIQI")}
_FOOT = struct.Struct("<II8s")  # CRC-32 of the entries, bytes of the entries, magic
FOOT_BYTES = _FOOT.size

TIMES_HEAD = struct.Struct("<III")
"""What the times of a zstd frame begin with: magic of a skippable frame, bytes that follow, CRC-32 of what follows."""

TIME_BYTES = 12
"""What one row needs there: its time and its frame index."""


class RowsDamaged(ForgeSyteError):
    """A row file is not what was written: truncated, changed, or malicious."""

    def __init__(self, what: str) -> None:
        super().__init__(Code.INTERNAL, f"stored rows cannot be read: {what}")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One zstd frame of a row file.

    `first_frame` is the frame index of its first row; `rows` counts its rows; `offset` and `length` are bytes.
    `times_offset` is where its times are; 0 when the file has none for it.
    """

    first_frame: int
    rows: int
    offset: int
    length: int
    times_offset: int = 0


def frame_index_of(row: bytes) -> int:
    """Return a row's `frame_index`.

    Raises:
        RowsDamaged: the line is not a row.
    """
    try:
        return int(orjson.loads(row)["frame_index"])
    except (ValueError, KeyError, TypeError) as error:
        raise RowsDamaged("a line is not a row with a frame_index") from error


def pack(rows: Sequence[bytes], *, offset: int = 0) -> tuple[bytes, list[IndexEntry]]:
    """Compress rows into as many zstd frames as they need.

    Args:
        rows: JSON without newlines, in frame order.
        offset: position of the first zstd frame in its file, in bytes.

    Returns:
        The bytes and one index entry per zstd frame.

    Raises:
        ValueError: a row contains a newline or is longer than MAX_LINE_BYTES.
    """
    data = bytearray()
    entries: list[IndexEntry] = []
    for group in _grouped(rows):
        frame = zstandard.ZstdCompressor(_LEVEL, write_checksum=True).compress(b"\n".join(group) + b"\n")
        entries.append(IndexEntry(frame_index_of(group[0]), len(group), offset + len(data), len(frame)))
        data += frame
    return bytes(data), entries


def _grouped(rows: Iterable[bytes]) -> Iterable[list[bytes]]:
    group: list[bytes] = []
    held = 0
    for row in rows:
        if len(row) > MAX_LINE_BYTES or b"\n" in row:
            raise ValueError(f"expected a row without newline of at most {MAX_LINE_BYTES} bytes, found {len(row)}")
        group.append(row)
        held += len(row) + 1
        if held >= FRAME_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def unpack(data: bytes, entry: IndexEntry) -> list[bytes]:
    """Decompress one zstd frame into its rows.

    Raises:
        RowsDamaged: it is damaged, its number of rows differs from the index, or it decompresses to too much.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    text = bytearray()
    try:
        with decompressor.stream_reader(data, read_across_frames=False) as reader:
            while piece := reader.read(FRAME_BYTES):
                text += piece
                if len(text) > MAX_FRAME_BYTES:
                    raise RowsDamaged(f"a frame decompresses to more than {MAX_FRAME_BYTES} bytes")
    except zstandard.ZstdError as error:
        raise RowsDamaged(f"a frame does not decompress ({error})") from error
    rows = bytes(text).split(b"\n")
    if rows.pop() != b"" or len(rows) != entry.rows:
        raise RowsDamaged(f"a frame holds {len(rows)} whole lines and its index says {entry.rows}")
    return rows


def times_bytes(rows: int) -> int:
    """Return the size of the times of so many rows."""
    return TIMES_HEAD.size + rows * TIME_BYTES


def pack_index(entries: Sequence[IndexEntry]) -> bytes:
    """Return the skippable frame that ends a row file."""
    body = b"".join(_ENTRY.pack(*astuple(one)) for one in entries)
    foot = _FOOT.pack(zlib.crc32(body), len(body), _INDEX_MAGIC)
    return _HEAD.pack(_SKIPPABLE_MAGIC, len(body) + len(foot)) + body + foot


def index_bytes(foot: bytes) -> int:
    """Return the size of the whole index in bytes, head and foot included, from a file's last FOOT_BYTES.

    Raises:
        RowsDamaged: it is not a row file, or its index is larger than MAX_INDEX_BYTES.
    """
    if len(foot) != FOOT_BYTES:
        raise RowsDamaged(f"the file has {len(foot)} bytes and ends before its index")
    _, length, magic = _FOOT.unpack(foot)
    entry = _ENTRIES.get(magic)
    if entry is None or length % entry.size or length > MAX_INDEX_BYTES:
        raise RowsDamaged("the file does not end with an index")
    return _HEAD.size + int(length) + FOOT_BYTES


def unpack_index(index: bytes, file_bytes: int) -> list[IndexEntry]:
    """Parse the index and check it against the file.

    Args:
        index: the last index_bytes() bytes of the file.
        file_bytes: the size of the whole file.

    Raises:
        RowsDamaged: its checksum is wrong, or its frames and times do not fill the file without gaps.
    """
    body = index[_HEAD.size : -FOOT_BYTES]
    checksum, _, magic = _FOOT.unpack(index[-FOOT_BYTES:])
    if zlib.crc32(body) != checksum:
        raise RowsDamaged("the index has a wrong checksum")
    entries = [IndexEntry(*numbers) for numbers in _ENTRIES[magic].iter_unpack(body)]
    if any(after.first_frame <= before.first_frame for before, after in pairwise(entries)):
        raise RowsDamaged("the index is not in frame order")
    at = 0
    for entry in entries:
        if entry.offset != at or not 0 < entry.length <= 2 * MAX_FRAME_BYTES:
            raise RowsDamaged(f"the index names a frame of {entry.length} bytes at {entry.offset}, expected at {at}")
        at += entry.length
    for entry in entries:
        if entry.times_offset and (entry.times_offset != at or entry.rows > MAX_ROWS):
            text = f"the times of {entry.rows} rows at {entry.times_offset}, expected at {at}"
            raise RowsDamaged(f"the index names {text}")
        at += times_bytes(entry.rows) if entry.times_offset else 0
    if at + len(index) != file_bytes:
        raise RowsDamaged(f"the file has {file_bytes} bytes and its index accounts for {at + len(index)}")
    return entries

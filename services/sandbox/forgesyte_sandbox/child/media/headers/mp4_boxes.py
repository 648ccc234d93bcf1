"""The outermost boxes of an MP4 or MOV file, read to say what is wrong with a file that has no usable index."""

import struct

from forgesyte_sandbox.child.media.sparse_file import SparseFile

_MAX_BOXES = 10_000
_HEAD = struct.Struct(">I4s")


def missing_index(file: SparseFile) -> str | None:
    """Say what is wrong with the index (the box `moov`) of a file that cannot be opened.

    Returns:
        A sentence for the user; None when the index is there, or lies in a hole.
    """
    at = 0
    for _ in range(_MAX_BOXES):
        if at + _HEAD.size > file.size:
            break
        size, kind = _size_and_kind(file, at)
        if file.saw_hole:
            return None
        end = file.size if size == 0 else at + size
        if kind == b"moov":
            return _cut_index(end, file.size) if end > file.size else None
        if end > file.size:
            return _cut_before_index(kind, end, file.size)
        if size < _HEAD.size and size != 0:
            return None
        at = end
    return f"the MP4 file has {file.size} bytes and no index (no moov box), so no frame in it can be found"


def _size_and_kind(file: SparseFile, at: int) -> tuple[int, bytes]:
    head = file.at(at, 16)
    size, kind = _HEAD.unpack_from(head.ljust(16, b"\0"))
    if size == 1:
        (size,) = struct.unpack_from(">Q", head.ljust(16, b"\0"), 8)
    return size, kind


def _cut_before_index(kind: bytes, end: int, size: int) -> str:
    box = kind.decode("ascii", "replace")
    return (
        f"the MP4 file is cut off before its index (moov): its box {box} should end at byte {end}, "
        f"the file ends at byte {size}; send the whole file, or write the index at the front (faststart)"
    )


def _cut_index(end: int, size: int) -> str:
    return (
        f"the MP4 file is cut off inside its index (moov): the index should end at byte {end}, "
        f"the file ends at byte {size}; send the whole file"
    )

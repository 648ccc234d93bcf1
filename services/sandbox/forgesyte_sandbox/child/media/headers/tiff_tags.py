"""The tags of a TIFF's first page. EXIF data has the same form, in whichever file it is embedded. Pure."""

import mmap
import struct
from dataclasses import dataclass

Bytes = bytes | mmap.mmap
"""A file's bytes, in memory or only mapped."""
_MAX_PAGES = 1000
_MAX_TAGS = 4096
_SIZES = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 16: ("Q", 8)}
_FLOAT = 3
_SEPARATED = 5
_LAB = (8, 9, 10)
_PROFILE = 34675
_PROFILE_AT, _PROFILE_BYTES = -1, -2
_MAX_PROFILE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class TiffPage:
    """What the tags of a first page say; width and height are 0 where EXIF has none."""

    width: int
    height: int
    samples: int
    bits: int
    orientation: int
    pages: int
    is_cmyk: bool
    is_float: bool
    is_lab: bool = False
    profile: bytes = b""
    """The ICC profile, as far as it is stored here."""


class _Layout:
    """Sizes and offsets of the two forms of the format: classic (4-byte offsets) and BigTIFF (8-byte offsets)."""

    def __init__(self, data: Bytes) -> None:
        self.order = "<" if data[:2] == b"II" else ">"
        (version,) = struct.unpack_from(self.order + "H", data, 2)
        self.is_big = version == 43
        self.is_known = data[:2] in (b"II", b"MM") and version in (42, 43)
        self.count = self.order + ("Q" if self.is_big else "H")
        self.place = self.order + ("Q" if self.is_big else "I")
        self.first = 8 if self.is_big else 4
        self.tag_bytes = 20 if self.is_big else 12


def read_first_page(data: Bytes) -> TiffPage | None:
    """Read the tags; None when there is no readable first page."""
    try:
        layout = _Layout(data)
        if not layout.is_known:
            return None
        (at,) = struct.unpack_from(layout.place, data, layout.first)
        tags, following = _read_tags(data, at, layout)
        return TiffPage(
            width=tags.get(256, 0),
            height=tags.get(257, 0),
            samples=tags.get(277, 1),
            bits=tags.get(258, 1),
            orientation=tags.get(274, 1),
            pages=_count_pages(data, following, layout),
            is_cmyk=tags.get(262) == _SEPARATED,
            is_float=tags.get(339) == _FLOAT,
            is_lab=tags.get(262) in _LAB,
            profile=bytes(data[tags.get(_PROFILE_AT, 0) : tags.get(_PROFILE_AT, 0) + tags.get(_PROFILE_BYTES, 0)]),
        )
    except struct.error:
        return None


def _read_tags(data: Bytes, at: int, layout: _Layout) -> tuple[dict[int, int], int]:
    (number,) = struct.unpack_from(layout.count, data, at)
    at += struct.calcsize(layout.count)
    number = min(number, _MAX_TAGS)
    tags: dict[int, int] = {}
    for start in range(at, at + number * layout.tag_bytes, layout.tag_bytes):
        tag, kind = struct.unpack_from(layout.order + "HH", data, start)
        (amount,) = struct.unpack_from(layout.place, data, start + 4)
        value_at = start + (12 if layout.is_big else 8)
        if tag == _PROFILE:
            (tags[_PROFILE_AT],) = struct.unpack_from(layout.place, data, value_at)
            tags[_PROFILE_BYTES] = min(amount, _MAX_PROFILE_BYTES)
        elif kind in _SIZES and amount:
            letter, size = _SIZES[kind]
            if amount * size > layout.tag_bytes - (value_at - start):
                (value_at,) = struct.unpack_from(layout.place, data, value_at)
            (tags[tag],) = struct.unpack_from(layout.order + letter, data, value_at)
    (following,) = struct.unpack_from(layout.place, data, at + number * layout.tag_bytes)
    return tags, following


def _count_pages(data: Bytes, following: int, layout: _Layout) -> int:
    pages, seen = 1, set[int]()
    while following and following not in seen and pages < _MAX_PAGES:
        seen.add(following)
        try:
            (number,) = struct.unpack_from(layout.count, data, following)
            at = following + struct.calcsize(layout.count) + number * layout.tag_bytes
            (following,) = struct.unpack_from(layout.place, data, at)
        except struct.error:
            break
        pages += 1
    return pages

"""What an image's header says before a pixel is decoded: size, samples, orientation, how many pictures.

These readers are our own because OpenCV tells the size only after decoding, which is too late for a decompression bomb.
Each reads a few bytes in a bounded number of steps. Rejected: Pillow, a second decoder to trust beside OpenCV's, whose
16-bit and CMYK conversions would have to be replaced anyway.
"""

import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass

from .icc import unusual_profile
from .jpeg_row import is_jpeg_row
from .tiff_tags import Bytes, read_first_page

_MAX_STEPS = 10_000
_MAX_PROFILE_BYTES = 4 << 20
_SCREEN_PRIMARIES = (1, 2)
_HDR_CURVES = {16: "PQ", 18: "HLG"}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xDA)}) - {0xDA}


class BrokenHeader(Exception):
    """The header lacks what it must have; the text says what is wrong."""


@dataclass(slots=True)
class ImageHeader:
    """Facts of a header. Sizes as stored, before turning.

    Attributes:
        codec: png, jpeg, webp or tiff.
        width: pixels.
        height: pixels.
        channels: samples per pixel, alpha included.
        bits: of one sample.
        orientation: EXIF's number, 1 to 8; 1 is upright.
        pictures: how many the file holds: frames of an animation, pages; for WebP it may hold more.
        is_cmyk: whether its colours are CMYK.
        is_float: whether samples are floating-point numbers.
        colours: what its colours are, when they are not those of an ordinary screen (sRGB), in a clause.
    """

    codec: str
    width: int = 0
    height: int = 0
    channels: int = 3
    bits: int = 8
    orientation: int = 1
    pictures: int = 1
    is_cmyk: bool = False
    is_float: bool = False
    colours: str | None = None

    def take_profile(self, profile: bytes) -> None:
        """Note what an ICC profile says of the colours."""
        if (name := unusual_profile(profile)) is not None:
            self.colours = f"those of the colour profile {name!r}"


def read_header(codec: str, data: Bytes) -> ImageHeader:
    """Read the header of a file that begins like `codec` (png, jpeg, webp, tiff).

    Raises:
        BrokenHeader: it ends too early or makes no sense.
    """
    header = ImageHeader(codec)
    readers = {"png": _read_png, "jpeg": _read_jpeg, "webp": _read_webp, "tiff": _read_tiff}
    try:
        readers[codec](data, header)
    except (struct.error, IndexError):
        raise BrokenHeader("its header ends too early") from None
    if header.width < 1 or header.height < 1:
        raise BrokenHeader(f"its header says {header.width} x {header.height} pixels")
    return header


def _read_png(data: Bytes, header: ImageHeader) -> None:
    header.width, header.height, header.bits, colour = struct.unpack_from(">IIBB", data, 16)
    header.channels = _PNG_CHANNELS.get(colour, 4)
    at = 8
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            header.pictures = struct.unpack_from(">I", data, at + 8)[0]
        elif kind == b"eXIf":
            _read_exif(data[at + 8 : at + 8 + size], header)
        elif kind == b"tRNS":
            header.channels = 4
        elif kind in (b"iCCP", b"cICP"):
            _read_png_colours(kind, data[at + 8 : at + 8 + min(size, _MAX_PROFILE_BYTES)], header)
        elif kind == b"IEND":
            header.pictures += data[at + 12 : at + 20] == data[:8]  # another one follows
            return
        at += 12 + size


def _read_png_colours(kind: bytes, body: bytes, header: ImageHeader) -> None:
    if kind == b"iCCP":
        _, _, packed = body.partition(b"\0")
        with suppress(zlib.error):
            header.take_profile(zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE_BYTES))
    elif len(body) >= 2 and (body[0] not in _SCREEN_PRIMARIES or body[1] in _HDR_CURVES):
        curve = _HDR_CURVES.get(body[1])
        header.colours = f"HDR ({curve})" if curve else "wide-gamut"


def _read_jpeg(data: Bytes, header: ImageHeader) -> None:
    at, profile = 2, b""
    for _ in range(_MAX_STEPS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise BrokenHeader(f"its header is damaged at byte {at}")
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker in _JPEG_SIZES:
            header.bits, header.height, header.width, header.channels = struct.unpack_from(">BHHB", data, at + 4)
            header.is_cmyk = header.channels == 4
            header.take_profile(profile)
            header.pictures = 2 if is_jpeg_row(data) else 1
            return
        if marker == 0xDA:
            break
        profile += _read_segment(marker, data[at + 4 : at + 2 + size], header, room=_MAX_PROFILE_BYTES - len(profile))
        at += 2 + size
    raise BrokenHeader("its header does not say its size")


def _read_segment(marker: int, body: bytes, header: ImageHeader, *, room: int) -> bytes:
    """Read what a segment says of the orientation; return the piece of a colour profile that it holds."""
    if marker == 0xE1 and body.startswith(b"Exif\0\0"):
        _read_exif(body[6:], header)
    return body[14:][:room] if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") else b""


def _read_webp(data: Bytes, header: ImageHeader) -> None:
    at, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    header.pictures += data[end : end + 4] == b"RIFF"  # another one follows
    for _ in range(_MAX_STEPS):
        if at + 8 > min(end, len(data)):
            return
        kind, size = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if kind == b"VP8X":
            header.channels = 4 if data[body] & 0x10 else 3
            header.pictures += bool(data[body] & 0x02)
            header.width = int.from_bytes(data[body + 4 : body + 7], "little") + 1
            header.height = int.from_bytes(data[body + 7 : body + 10], "little") + 1
        elif kind == b"VP8 " and not header.width:
            width, height = struct.unpack_from("<HH", data, body + 6)
            header.width, header.height = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L" and not header.width:
            (packed,) = struct.unpack_from("<I", data, body + 1)
            header.width, header.height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
            header.channels = 4 if packed >> 28 & 1 else 3
        elif kind == b"ICCP":
            header.take_profile(data[body : body + min(size, _MAX_PROFILE_BYTES)])
        elif kind == b"EXIF":
            _read_exif(data[body : body + size].removeprefix(b"Exif\0\0"), header)
        at = body + size + size % 2


def _read_tiff(data: Bytes, header: ImageHeader) -> None:
    page = read_first_page(data)
    if page is None:
        raise BrokenHeader("its first page cannot be found")
    header.width, header.height, header.channels, header.bits = page.width, page.height, page.samples, page.bits
    header.orientation, header.pictures = page.orientation, page.pages
    header.is_cmyk, header.is_float = page.is_cmyk, page.is_float
    header.take_profile(page.profile)
    if page.is_lab:
        header.colours = "CIE LAB"


def _read_exif(data: Bytes, header: ImageHeader) -> None:
    page = read_first_page(data)
    if page is not None:
        header.orientation = page.orientation

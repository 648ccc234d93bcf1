"""Files with something that the user must know, and the words of the one warning that belongs to each."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from . import making
from .making import H264, clip, cut, ffmpeg, picture, tiff, with_matrix, written
from .schedules import CFR, WRONG, Scheduled
from .truth import draw

Make = Callable[[Path], Path]
_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
_DAY_MS = 24 * 3600 * 1000


def icc_profile(name: str, colorants=_P3) -> bytes:
    """Return the least ICC profile that a reader of colours looks at."""
    tags = [(b"desc", b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name.encode() + b"\0")]
    for kind, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True):
        tags.append((kind, b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))))
    at, table, bodies = 132 + 12 * len(tags), b"", b""
    for kind, body in tags:
        table += struct.pack(">4sII", kind, at + len(bodies), len(body))
        bodies += body
    return bytes(12) + b"mntrRGB XYZ " + bytes(104) + struct.pack(">I", len(tags)) + table + bodies


def _jpeg_with_profile(folder: Path) -> Path:
    _, made = cv2.imencode(".jpg", draw(5))
    data, body = made.tobytes(), b"ICC_PROFILE\0\1\1" + icc_profile("Display P3")
    return written(folder / "a.jpg", data[:2] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + data[2:])


def _png_with(kind: bytes, body: bytes) -> Make:
    def make(folder: Path) -> Path:
        _, made = cv2.imencode(".png", draw(5))
        data = made.tobytes()
        chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        return written(folder / "a.png", data[:33] + chunk + data[33:])

    return make


def _webp_with_profile(folder: Path) -> Path:
    path = making.webp_turned(folder / "a.webp", 1)
    data, profile = path.read_bytes(), icc_profile("ProPhoto RGB").ljust(400, b"\0")
    at = 12 + 18
    chunks = data[8:at] + b"ICCP" + struct.pack("<I", len(profile)) + profile + data[at:]
    return written(path, b"RIFF" + struct.pack("<I", len(chunks)) + chunks)


def _tagged(*tags: str) -> Make:
    options = ("-colorspace", tags[0], "-color_primaries", tags[1], "-color_trc", tags[2])
    return lambda folder: clip(folder / "a.mp4", *H264, *options)


def _two_videos(suffix: str) -> Make:
    def make(folder: Path) -> Path:
        small = clip(folder / "small.mkv", size_wh=(48, 32))
        large = clip(folder / "large.mkv")
        ffmpeg("-i", small, "-i", large, "-map", "0", "-map", "1", "-c", "copy", folder / f"two.{suffix}")
        return folder / f"two.{suffix}"

    return make


def _same_times(shown_ms: float, decoded_ms: float) -> tuple[float, float]:
    return shown_ms // 200 * 200, decoded_ms // 200 * 200


def _clock_begins_again(folder: Path) -> Path:
    first, second = (clip(folder / f"{name}.ts", *H264, frames=10, first=at) for name, at in (("a", 0), ("b", 10)))
    return written(folder / "both.ts", first.read_bytes() + second.read_bytes())


def _two_sizes(folder: Path) -> Path:
    first = clip(folder / "first.ts", *H264, frames=10)
    second = clip(folder / "second.ts", *H264, "-output_ts_offset", "1", frames=10, size_wh=(128, 80), first=10)
    return written(folder / "both.ts", first.read_bytes() + second.read_bytes())


def jpegs(folder: Path, count: int = 30) -> Path:
    """JPEG pictures end to end."""
    pictures = (cv2.imencode(".jpg", draw(index))[1].tobytes() for index in range(count))
    return written(folder / "a.mjpeg", b"".join(pictures))


def jpegs_by_ffmpeg(folder: Path) -> Path:
    """JPEG pictures end to end, each of which says JFIF in its first segment."""
    return clip(folder / "a.mjpeg", "-c:v", "mjpeg", "-pix_fmt", "yuvj422p", frames=30)


def jpegs_between_lines(folder: Path) -> Path:
    """JPEG pictures with an end of line behind each."""
    data = jpegs(folder).read_bytes()
    return written(folder / "lines.mjpeg", data.replace(b"\xff\xd9\xff\xd8", b"\xff\xd9\r\n\xff\xd8"))


def _row_of(suffix: str) -> Make:
    pictures = (cv2.imencode(suffix, draw(index))[1].tobytes() for index in range(3))
    return lambda folder: written(folder / f"a{suffix}", b"".join(pictures))


def lab(folder: Path) -> Path:
    """A TIFF whose samples are CIE LAB."""
    colours = cv2.cvtColor(draw(5), cv2.COLOR_BGR2LAB).astype(np.int16)
    samples = np.dstack([colours[..., 0], colours[..., 1] - 128, colours[..., 2] - 128]).astype(np.int8)
    return tiff(folder / "a.tiff", samples.view(np.uint8), photometric=8)


def _slanted(folder: Path) -> Path:
    plain = with_matrix(folder / "a.mp4", (1, 0, 0, 1), lambda image: image)
    data = bytearray(plain.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix
    struct.pack_into(">4i", data, at, 60000, 26000, 0, -26000)
    struct.pack_into(">i", data, at + 16, 60000)
    return written(plain, bytes(data))


def _first_index(folder: Path) -> Path:
    return clip(folder / "a.mp4", *H264, "-g", "4", "-bf", "0", "-movflags", "+faststart", is_rough=True)


def _gap_of_a_day() -> Make:
    times = tuple(ms + _DAY_MS * (index > 14) for index, ms in enumerate(CFR))
    return Scheduled("gap of a day", "h264", "matroska", times).make


def _rough(suffix: str, *options: str) -> Make:
    return lambda folder: cut(clip(folder / f"a.{suffix}", *options, is_rough=True))


VIDEOS: dict[str, tuple[Make, str]] = {
    "pts = dts": (WRONG[0].make, "do not fit the order in which its frames are shown"),
    "equal neighbours": (
        Scheduled("equal", "h264", "matroska", stamp=_same_times).make, "15 frames carry the same time",
    ),
    "all times equal": (
        Scheduled("zeros", "h264", "matroska", stamp=lambda _, __: (0.0, 0.0)).make, "or all the same one",
    ),
    "the clock begins again": (_clock_begins_again, "the clock of the file jumps back 1 times"),
    "a gap of a day": (_gap_of_a_day(), "more than 6 hours after the frame before"),
    "two videos.mkv": (_two_videos("mkv"), "stream 0 (48 x 32, h264)"),
    "two videos.mp4": (_two_videos("mp4"), "stream 1 (96 x 64, h264)"),
    "HDR PQ": (_tagged("bt2020nc", "bt2020", "smpte2084"), "HDR (PQ, BT.2020)"),
    "HDR HLG": (_tagged("bt2020nc", "bt2020", "arib-std-b67"), "HDR (HLG, BT.2020)"),
    "wide gamut": (_tagged("bt709", "smpte432", "bt709"), "wide-gamut colours (Display P3)"),
    "a slanted matrix": (_slanted, "no multiple of 90 degrees"),
    "the size changes": (_two_sizes, "10 frames differ in size"),
    "cut.mkv": (_rough("mkv", *H264, "-g", "4", "-bf", "0"), "the file is cut off: its segment should end"),
    "cut.mp4": (lambda folder: cut(_first_index(folder)), "the container announced 20 frames"),
    "cut.avi": (_rough("avi", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"), "announced 20 frames"),
}  # fmt: skip
IMAGES: dict[str, tuple[Make, str]] = {
    "jpegs end to end": (jpegs, "several pictures; the first is used"),
    "jpegs by ffmpeg": (jpegs_by_ffmpeg, "several pictures; the first is used"),
    "pngs end to end": (_row_of(".png"), "several pictures; the first is used"),
    "webps end to end": (_row_of(".webp"), "several pictures; the first is used"),
    "lab.tiff": (lab, "CIE LAB"),
    "Display P3.jpg": (_jpeg_with_profile, "the colour profile 'Display P3'"),
    "profile.png": (_png_with(b"iCCP", b"x\0\0" + zlib.compress(icc_profile("Wide Gamut"))), "'Wide Gamut'"),
    "PQ.png": (_png_with(b"cICP", bytes((9, 16, 0, 1))), "HDR (PQ)"),
    "profile.webp": (_webp_with_profile, "'ProPhoto RGB'"),
    "16 bits.png": (lambda it: picture(it / "a.png", image=draw(5).astype(np.uint16) * 257), "16 bits were reduced"),
}  # fmt: skip

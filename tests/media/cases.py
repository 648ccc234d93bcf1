"""Kinds of files that users of such systems report, with the value that independent players agree on.

The first file of each kind lies beside the checkout, if it is there; the others are of other containers or codecs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import poison, sick
from .making import H264, clip, written
from .schedules import ALL, CFR, FILM, GAP, VARIED, Scheduled

SHARED = Path(__file__).parents[3] / "shared" / "cases"
Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """A file and what must come of it.

    Attributes:
        name: of the line; a file that lies in SHARED is not made.
        times: of the rows, in ms; empty for a file that is refused.
        make: writes the file.
        kind: what it is submitted as.
        warns: words of the one warning; none at all when empty.
        refused: status and words of the refusal.
        decode: what `decode` must say.
        red: the colour of the upper left corner, BGR; None is not looked at.
        query: what is asked for beside the plugin and its tool.
    """

    name: str
    times: Sequence[float] = CFR
    make: Make | None = None
    kind: str = "video"
    warns: str = ""
    refused: tuple[int, str] | None = None
    decode: dict = field(default_factory=dict)
    red: tuple[int, int, int] | None = None
    query: dict = field(default_factory=dict)


def _scheduled(name: str, **facts) -> Case:
    (found,) = (case for case in ALL if case.name == name)
    return Case(name, found.truth_ms, found.make, warns=found.warns, decode={"clock": found.clock}, **facts)


def _made(name: str, codec: str, kind: str, times: Sequence[float] = CFR, start_ms: float = 0.0) -> Case:
    return Case(name, times, Scheduled(name, codec, kind, times, start_ms).make, decode={"clock": "pts"})


def _wide_pixels(suffix: str, *options: str) -> Case:
    def make(folder: Path) -> Path:
        return clip(folder / f"a.{suffix}", "-vf", "setsar=4/3", *options)

    return Case(f"pixels of 4:3.{suffix}", CFR[:20], make, decode={"pixel_aspect": "4:3"})


def _untagged(name: str, size_wh: tuple[int, int], matrix: str, *options: str) -> Case:
    def make(folder: Path) -> Path:
        scale = f"scale=out_color_matrix={matrix}"
        return clip(folder / name, "-vf", scale, *options, "-pix_fmt", "yuv420p", frames=6, size_wh=size_wh)

    said = f"{matrix} (assumed: no colour tags, {size_wh[0]} x {size_wh[1]})"
    return Case(f"untagged {size_wh[0]} x {size_wh[1]} {name}", CFR[:6], make, decode={"color": said}, red=(0, 0, 255))


def _encrypted_entry(suffix: str) -> Make:
    def make(folder: Path) -> Path:
        content = clip(folder / f"a.{suffix}").read_bytes()
        return written(folder / f"a.{suffix}", content.replace(b"avc1", b"encv").replace(b"isomiso2encv", b"isomiso2"))

    return make


def _scrambled(folder: Path) -> Path:
    content = bytearray(clip(folder / "a.ts").read_bytes())
    for at in range(0, len(content), 188):
        if content[at + 1] & 0x1F or content[at + 2] > 0x11:  # the tables stay clear
            content[at + 3] |= 0x80
    return written(folder / "a.ts", bytes(content))


def _large_second(suffix: str) -> Case:
    make, words = sick.VIDEOS["two videos.mkv" if suffix == "mkv" else "two videos.mp4"]
    if suffix == "mkv":
        return Case("two videos.mkv by video_stream", CFR[:20], make, query={"video_stream": 1},
                    decode={"video_stream": 1, "width": 96})  # fmt: skip
    return Case("two videos.mp4", CFR[:20], make, warns=words, decode={"video_stream": 0, "width": 48})


def _image(name: str) -> Case:
    make, words = sick.IMAGES[name]
    return Case(f"image {name}", (0.0,), make, "image", words)


def _poisonous(name: str) -> Case:
    _, make, words = poison.POISON[name]
    return Case(f"poison: {name}", (), make, refused=(413, words))


_PTS, _ORDER, _COUNTED = {"clock": "pts"}, {"clock": "best_effort"}, {"clock": "counted"}
_FIRST = "the first is used"
_HD = "bt709 (assumed: no colour tags, 1280 x 720)"
_ENCRYPTED = (415, "encrypted")
BESIDE = [
    Case("base.mp4", decode=_PTS),
    Case("h264b.avi", decode=_ORDER),
    Case("naive_hevc.mp4", CFR[:28], warns="do not fit the order", decode=_ORDER),
    Case("hours.mkv", decode=_PTS),
    Case("vfr2.ts", VARIED, decode=_PTS),
    Case("f.flv", decode=_PTS),
    Case("two.mkv", warns="stream 0 (80 x 60", decode={"video_stream": 1, "width": 160, "height": 120}),
    Case("allzero.mkv", warns="all the same", decode=_COUNTED),
    Case("gap.mp4", GAP, decode=_PTS),
    Case("sar.mp4", decode={"pixel_aspect": "4:3"}),
    Case("x.mjpeg", FILM, decode=_COUNTED),
    Case("x.mjpeg", (0.0,), kind="image", warns=_FIRST),
    Case("cenc.mp4", (), refused=_ENCRYPTED),
    Case("lab.tif", (0.0,), kind="image", warns="CIE LAB"),
    Case("hd_untagged.mp4", CFR[:6], decode={"color": _HD}, red=(20, 20, 220)),
    Case("elst300k.mp4", (), refused=(413, "300000 entries in an edit list, at most 1024")),
]  # fmt: skip
"""Those that lie beside the checkout."""

_BRIGHT = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=none", "-crf", "10")
MADE = [
    _scheduled("h264 b 25 fps.avi"), _scheduled("mpeg4 b 10 fps.avi"),
    _scheduled("h264 b pts = dts.mp4"), _scheduled("hevc b pts = dts.matroska"), _scheduled("h264 b pts = dts.mpegts"),
    _made("ten hours.flv", "h264", "flv", CFR, 36_000_000), _made("ten hours.nut", "h264 b", "nut", CFR, 36_000_000),
    _scheduled("h264 b variable.flv"), _scheduled("hevc b variable.mpegts"),
    _scheduled("h264 begins at 0.2 s.flv"), _scheduled("h264 b begins at 50 s.mpegts"),
    _large_second("mkv"), _large_second("mp4"),
    _scheduled("vp9 all 0.matroska"), _scheduled("mjpeg all 0.matroska"),
    _scheduled("h264 b gap of an hour.mp4"), _scheduled("h264 gap of an hour.matroska"),
    _wide_pixels("mkv", *H264), _wide_pixels("mov", *H264), _wide_pixels("ts", "-c:v", "libx264", "-bf", "2"),
    Case("two jpegs end to end", (0.0,), lambda it: sick.jpegs(it, 2), "image", _FIRST),
    Case("jpegs of 96 x 64", [index * 40.0 for index in range(12)], lambda it: sick.jpegs(it, 12), decode=_COUNTED),
    Case("encrypted.mov", (), _encrypted_entry("mov"), refused=_ENCRYPTED),
    Case("scrambled.ts", (), _scrambled, refused=_ENCRYPTED),
    _image("lab.tiff"), _image("Display P3.jpg"), _image("profile.png"),
    _untagged("a.mkv", (1280, 720), "bt709", *_BRIGHT), _untagged("b.ts", (1280, 720), "bt709", *H264),
    _untagged("c.mp4", (640, 480), "bt601", *H264),
    *map(_poisonous, ("many edits", "many equal sizes", "an endless fragment", "an index backwards", "many keys",
                      "many programs")),
    Case("no such stream.mp4", (), lambda it: clip(it / "a.mp4"), refused=(422, "video_stream is 3"),
         query={"video_stream": 3}),
]  # fmt: skip
"""The same kinds in other containers and codecs."""

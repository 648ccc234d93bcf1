"""Files whose frames have known times: containers x codecs x B-frames x offsets x edit lists x variable rate.

Each is 160 x 120 pixels and 30 frames, made by PyAV from a schedule in milliseconds. What comes out is compared with
that schedule, and not with what any reader says of the file.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

import av
from av.packet import Packet

from .truth import draw

FRAMES = 30
SIZE_WH = (160, 120)
_MS = Fraction(1, 1000)
_BARE = {("h264", "avi"): "h264_mp4toannexb", ("hevc", "hevc"): "hevc_mp4toannexb"}
"""Where FFmpeg's muxer does not by itself write what its demuxer expects."""
_BY_RATE = ("avi", "mxf", "ivf")

CFR = tuple(index * 100.0 for index in range(FRAMES))
FILM = tuple(index * 40.0 for index in range(FRAMES))
NTSC = tuple(index * 1001 / 30 for index in range(FRAMES))
VARIED = tuple(float(ms) for ms in accumulate([0, *[100] * 10, *[33] * 10, *[500] * 9]))
GAP = tuple(ms + 3_600_000 * (index > 14) for index, ms in enumerate(CFR))

CODECS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "ultrafast", "x264-params": "bframes=0:threads=1"}),
    "h264 b": ("libx264", {"preset": "veryfast", "x264-params": "bframes=3:b-adapt=0:threads=1"}),
    "hevc b": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:bframes=3:b-adapt=0"}),
    "mpeg4": ("mpeg4", {"qmin": "2", "qmax": "4"}),
    "mpeg4 b": ("mpeg4", {"qmin": "2", "qmax": "4", "bf": "2"}),
    "mpeg1 b": ("mpeg1video", {"qmin": "2", "qmax": "4", "bf": "2"}),
    "mpeg2 b": ("mpeg2video", {"qmin": "2", "qmax": "4", "bf": "2"}),
    "vp8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "lag-in-frames": "0"}),
    "prores": ("prores_ks", {}),
    "mjpeg": ("mjpeg", {"qmin": "2", "qmax": "4"}),
    "ffv1": ("ffv1", {}),
}


@dataclass(frozen=True)
class Coded:
    """One coded frame: bytes, the frame it is shown as, whether it is a keyframe."""

    data: bytes
    shown: int
    is_key: bool


@cache
def coded(codec: str) -> tuple[bytes, Sequence[Coded]]:
    """Encode 30 numbered pictures; return a Matroska file of them, and the frames in the order of decoding."""
    name, options = CODECS[codec]
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(name, rate=25, options=options)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = {"mjpeg": "yuvj420p", "prores": "yuv422p10le"}.get(codec, "yuv420p")
        stream.codec_context.thread_count = 1
        for index in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(index, SIZE_WH), format="bgr24")))
        container.mux(stream.encode())
    with av.open(io.BytesIO(file.getvalue())) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        frames = [Coded(bytes(it), round(it.pts * it.time_base * 25), it.is_keyframe) for it in packets]
    assert sorted(frame.shown for frame in frames) == list(range(FRAMES)), [frame.shown for frame in frames]
    return file.getvalue(), frames


def decoding_ms(frames: Sequence[Coded], times: Sequence[float]) -> list[float]:
    """Return when each frame is decoded: in rising order, never after it is shown."""
    delay = max(index - frame.shown for index, frame in enumerate(frames))
    step = min(after - before for before, after in pairwise(times))
    early = [times[0] - step * (delay - index) for index in range(delay)]
    return [*early, *times][: len(frames)]


@dataclass(frozen=True)
class Scheduled:
    """A file and its schedule.

    Attributes:
        name: of the line.
        codec: of CODECS.
        format: muxer.
        times: when each frame is shown, in ms, on the clock of the encoder.
        start_ms: added to all times in the file.
        first_shown: frames before this one lie before the edit list, and are not shown.
        stamp: gives the packet's (pts, dts) in ms from (shown, decoded); None is what a muxer ought to write.
        clock: the rule that must be reported.
        warns: words of the one warning; none at all when empty.
        expected: times that must come out; those of the schedule when None.
    """

    name: str
    codec: str
    format: str
    times: Sequence[float] = CFR
    start_ms: float = 0.0
    first_shown: int = 0
    stamp: Callable[[float, float], tuple[float, float]] | None = None
    clock: str = "pts"
    warns: str = ""
    expected: Sequence[float] | None = None

    @property
    def truth_ms(self) -> list[float]:
        """When the frames are shown, after the first."""
        if self.expected is not None:
            return list(self.expected)
        return [ms - self.times[self.first_shown] for ms in self.times[self.first_shown :]]

    def make(self, folder: Path) -> Path:
        """Write the file."""
        path = folder / "a.bin"
        source, frames = coded(self.codec)
        steps = {round(after - before, 2) for before, after in pairwise(self.times)}
        rate = Fraction(1000 / (self.times[1] - self.times[0])).limit_denominator(1001)
        options = {"avoid_negative_ts": "disabled"} if self.first_shown else {}
        with (
            av.open(io.BytesIO(source)) as template,
            av.open(str(path), "w", format=self.format, container_options=options) as container,
        ):
            stream = container.add_stream_from_template(template.streams.video[0])
            stream.time_base = 1 / rate if len(steps) == 1 and self.format in _BY_RATE else Fraction(1, 90_000)
            name = _BARE.get((self.codec.split()[0], self.format))
            bare = name and av.bitstream.BitStreamFilterContext(name, stream)
            for packet in self._packets(frames, stream):
                container.mux(bare.filter(packet) if bare else packet)
        return path

    def _lasts_ms(self, shown: int) -> float:
        after = min(shown + 1, len(self.times) - 1)
        return self.times[after] - self.times[after - 1]

    def _packets(self, frames: Sequence[Coded], stream: av.VideoStream) -> Iterator[Packet]:
        base = stream.time_base  # as it is before the muxer chooses its own
        for frame, decoded_ms in zip(frames, decoding_ms(frames, self.times), strict=True):
            shown_ms = self.times[frame.shown]
            if self.stamp is not None:
                shown_ms, decoded_ms = self.stamp(shown_ms, decoded_ms)
            shift_ms = self.start_ms - self.times[self.first_shown]
            packet = Packet(frame.data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, base, frame.is_key
            packet.pts = round(Fraction(shown_ms + shift_ms) * _MS / base)
            packet.dts = round(Fraction(decoded_ms + shift_ms) * _MS / base)
            packet.duration = round(Fraction(self._lasts_ms(frame.shown)) * _MS / base)
            yield packet


def _grid() -> Iterator[Scheduled]:
    shapes = {"10 fps": CFR, "25 fps": FILM, "ntsc": NTSC, "variable": VARIED, "gap of an hour": GAP}
    wanted = {
        "mp4": ("10 fps", "25 fps", "ntsc", "variable", "gap of an hour"),
        "mov": ("10 fps", "ntsc", "variable"),
        "matroska": ("10 fps", "ntsc", "variable", "gap of an hour"),
        "mpegts": ("10 fps", "25 fps", "ntsc", "variable"),
        "flv": ("10 fps", "ntsc", "variable"),
        "nut": ("10 fps", "variable"),
    }
    for kind, shape_names in wanted.items():
        for shape in shape_names:
            for codec in ("h264", "h264 b"):
                yield Scheduled(f"{codec} {shape}.{kind}", codec, kind, shapes[shape])


HEALTHY = [
    *_grid(),
    *(Scheduled(f"{codec} {name}.avi", codec, "avi", times, clock="best_effort" if " b" in codec else "pts")
      for codec in ("h264", "h264 b", "mpeg4", "mpeg4 b") for name, times in (("10 fps", CFR), ("25 fps", FILM))),
    *(Scheduled(f"{codec} 10 fps.{kind}", codec, kind, clock="best_effort" if " b" in codec else "pts")
      for codec, kind in (("mpeg1 b", "avi"), ("mpeg2 b", "avi"), ("h264 b", "asf"), ("mpeg4 b", "asf"),
      ("mpeg2 b", "asf"))),
    Scheduled("mpeg4 b 50 fps.avi", "mpeg4 b", "avi", tuple(ms / 2 for ms in FILM), clock="best_effort"),
    *(Scheduled(f"{codec} variable.asf", codec, "asf", VARIED, clock="best_effort") for codec in ("h264 b", "mpeg4 b")),
    *(Scheduled(f"{codec} begins at {start / 1000:g} s.{kind}", codec, kind, start_ms=start)
      for codec in ("h264", "h264 b") for kind, start in (("mp4", 3000.0), ("matroska", 36_000_000.0), ("flv", 200.0),
      ("mpegts", 50_000.0))),
    *(Scheduled(f"{codec} edit list.{kind}", codec, kind, CFR, first_shown=7)
      for codec in ("h264", "h264 b") for kind in ("mp4", "mov")),
    *(Scheduled(f"hevc b {name}.{kind}", "hevc b", kind, times)
      for kind in ("mp4", "matroska", "mpegts") for name, times in (("10 fps", CFR), ("variable", VARIED))),
    *(Scheduled(f"mpeg2 b 25 fps.{kind}", "mpeg2 b", kind, FILM) for kind in ("mpeg", "mpegts", "matroska", "mov")),
    *(Scheduled(f"{codec} variable.{kind}", codec, kind, VARIED) for codec, kind in (("vp8", "webm"), ("vp9", "webm"),
      ("vp9", "mp4"), ("prores", "mov"), ("mjpeg", "mov"), ("mjpeg", "matroska"),
      ("ffv1", "matroska"), ("mpeg4 b", "mp4"), ("mpeg4 b", "matroska"))),
    Scheduled("vp9 10 fps.ivf", "vp9", "ivf"),
    Scheduled("mjpeg 10 fps.avi", "mjpeg", "avi"),
]  # fmt: skip


def _decoding_time(_: float, decoded_ms: float) -> tuple[float, float]:
    return decoded_ms, decoded_ms


def _zero(_: float, __: float) -> tuple[float, float]:
    return 0.0, 0.0


_WRONG = "do not fit the order"
_SAME = "carry no times, or all the same"
UNUSABLE = [
    Scheduled("h264 raw.h264", "h264", "h264", FILM, clock="counted"),
    Scheduled("h264 b raw.h264", "h264 b", "h264", FILM, clock="counted"),
    Scheduled("hevc b raw.hevc", "hevc b", "hevc", FILM, clock="counted"),
    Scheduled("mpeg2 b raw.m2v", "mpeg2 b", "mpeg2video", FILM, clock="counted"),
    Scheduled("mjpeg raw.mjpeg", "mjpeg", "mjpeg", FILM, clock="counted"),
    *(Scheduled(f"{codec} all 0.matroska", codec, "matroska", FILM, stamp=_zero, clock="counted", warns=_SAME)
      for codec in ("h264", "h264 b", "vp9", "mjpeg")),
]  # fmt: skip
"""Files made without usable times: for these alone `decode.clock` is `counted`."""

WRONG = [
    Scheduled(f"{codec} pts = dts.{kind}", codec, kind, CFR, 1000.0, 0, _decoding_time, "best_effort", _WRONG)
    for codec, kind in (("h264 b", "mp4"), ("h264 b", "matroska"), ("h264 b", "mpegts"), ("hevc b", "mp4"),
                        ("hevc b", "matroska"), ("mpeg4 b", "mp4"), ("mpeg2 b", "matroska"))
] + [
    Scheduled(f"{codec} variable pts = dts.{kind}", codec, kind, VARIED, 1000.0, stamp=_decoding_time,
              clock="best_effort", warns=_WRONG)
    for codec, kind in (("h264 b", "mp4"), ("hevc b", "matroska"), ("mpeg2 b", "mov"))
]  # fmt: skip
"""Files whose presentation times are those of decoding."""

ALL = [*HEALTHY, *UNUSABLE, *WRONG]

"""Videos whose pictures carry their own number, in the shapes on which players draw boxes on the wrong frame.

Each has FRAMES pictures, encoded with B-frames where the codec has them. A number has 8 bits, so there are at most 255
with those that an edit list cuts. Their times are given here and not read back from the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np

from tests.media.truth import draw

SIZE_WH = (320, 192)
_TICKS = Fraction(1, 90_000)


@dataclass(frozen=True)
class TruthFile:
    """One shape of file.

    Attributes:
        name: file name.
        codec: FFmpeg's encoder.
        steps_ms: how long the pictures are shown, over and over.
        start_ms: when the first one is shown, on the file's clock.
        cut: pictures that lie before the edit list and are never shown.
        is_turned: whether the pictures are stored turned by 90 degrees.
        is_copied: whether browsers need a copy.
    """

    name: str
    codec: str = "libx264"
    steps_ms: Sequence[float] = (40.0,)
    start_ms: float = 0.0
    cut: int = 0
    is_turned: bool = False
    is_copied: bool = False

    def make(self, folder: Path, frames: int) -> Path:
        """Write the file with `frames` pictures that are shown; they are numbered from `cut`."""
        path = folder / self.name
        count = frames + self.cut
        times = list(accumulate((self.steps_ms[i % len(self.steps_ms)] for i in range(count)), initial=0.0))
        shift = self.start_ms - times[self.cut]
        options = {"avoid_negative_ts": "disabled"} if self.cut else {}
        with av.open(str(path), "w", container_options=options) as container:
            stream = container.add_stream(self.codec, rate=25, options=_OPTIONS[self.codec])
            width, height = SIZE_WH[::-1] if self.is_turned else SIZE_WH
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj420p" if self.codec == "mjpeg" else "yuv420p"
            stream.codec_context.time_base = stream.time_base = Fraction(1, 25) if self.is_copied else _TICKS
            stream.codec_context.thread_count = 1
            if self.is_turned:
                stream.set_display_matrix((0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
            for number in range(count):
                container.mux(self._encoded(stream, number, times[number] + shift))
            container.mux(stream.encode())
        return path

    def _encoded(self, stream: av.VideoStream, number: int, shown_ms: float) -> list[av.Packet]:
        picture = draw(number, SIZE_WH)
        if self.is_turned:
            picture = np.ascontiguousarray(np.rot90(picture, 1))
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        base = stream.codec_context.time_base
        frame.time_base = base
        frame.pts = round(Fraction(shown_ms) / 1000 / base)
        return stream.encode(frame)


_X264 = {"preset": "veryfast", "crf": "12", "x264-params": "bframes=2:b-adapt=0:keyint=50:threads=1"}
_OPTIONS = {
    "libx264": _X264,
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "crf": "20", "b": "2M", "g": "50"},
    "mjpeg": {"qmin": "2", "qmax": "3"},
}

FILES = (
    TruthFile("constant.mp4"),
    TruthFile("dropped-ticks.mp4", steps_ms=(40.0, 40.0, 80.0, 40.0, 120.0)),
    TruthFile("variable.mp4", steps_ms=(33.0, 34.0, 50.0, 100.0, 21.0, 67.0)),
    TruthFile("starts-at-half-a-second.mp4", start_ms=500.0),
    TruthFile("edit-list.mp4", cut=7),
    TruthFile("turned.mp4", is_turned=True),
    TruthFile("variable-vp9.webm", codec="libvpx-vp9", steps_ms=(33.0, 34.0, 50.0, 100.0, 21.0, 67.0)),
    TruthFile("not-for-browsers.avi", codec="mjpeg", is_copied=True),
)

"""Writes pictures into an MP4 that every browser plays: H.264, yuv420p, even sides, the index in front, no sound.

Memory use does not grow with the length: few pictures wait in the encoder, and FFmpeg keeps the index of samples.
Colours are BT.709, converted and labelled as such, so that players need not guess. Rejected: VP9 and AV1 (many times
slower to encode), fragmented MP4 (players cannot seek by the index).
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.decode_ahead import DecodeAhead
from forgesyte_sandbox.child.media.source import Picture, Source
from forgesyte_sandbox.child.progress_report import ProgressReport
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import AnnotateSpec, PlayableCopySpec
from forgesyte_sdk import Image

from .mp4_times import TICKS_A_SECOND, Mp4Times

_ENCODER = "sync-lookahead=0:bframes=0:keyint=60:sliced-threads=1"
"""No pictures out of order (times need no offset), a keyframe every 60 pictures (seeking stays quick)."""

_LOOK_AHEAD = "rc-lookahead=10"
_LOOK_AT_ONE = "rc-lookahead=0:mbtree=0"
"""For large pictures: at 4K it needs 0.25 GiB instead of 0.5 and makes somewhat larger files."""

_LARGE_PIXELS = 1920 * 1080
_THREADS = 2
_BT709 = 1
_USUAL_FPS = 25.0
_FPS_RANGE = (1.0, 120.0)


MAX_SIDE_PX = 3840
MAX_PIXELS = 3840 * 2160


_IMAGE_MS = 1000.0


def _frame_ms_of(kind: str, fps: float | None) -> float | None:
    """Return how long the last picture is shown: an image for a second, else as the file's rate says."""
    if kind == "image":
        return _IMAGE_MS
    return 1000 / fps if fps else None


class Sheet:
    """The size in which pictures are written: the first one's, within MAX_SIDE_PX and MAX_PIXELS.

    Players do not decode larger pictures, and the encoder would need more memory than the sandbox has.
    """

    def __init__(self, first: Image) -> None:
        height, width = first.shape[:2]
        scale = min(1.0, MAX_SIDE_PX / max(width, height), (MAX_PIXELS / (width * height)) ** 0.5)
        self.size_wh = max(1, round(width * scale)), max(1, round(height * scale))

    def fit(self, image: Image) -> Image:
        """Return the picture in the sheet's size; the same one where it has it already."""
        height, width = image.shape[:2]
        if (width, height) == self.size_wh:
            return image
        return np.asarray(cv2.resize(image, self.size_wh, interpolation=cv2.INTER_AREA), np.uint8)


class Mp4Writer:
    """One MP4 file. Used as a context manager: the file is whole if the block ends without an error, else unusable."""

    def __init__(
        self, path: Path, size_wh: tuple[int, int], *, frame_ms: float | None, pixel_aspect: str | None = None
    ) -> None:
        """Open the file.

        Args:
            path: of the file, which is overwritten.
            size_wh: of every picture that is added, in pixels.
            frame_ms: how long the last picture is shown; None takes that of a usual rate.
            pixel_aspect: shape of a pixel, as width:height; None is square.
        """
        fps = 1000 / frame_ms if frame_ms else _USUAL_FPS
        self.size_wh = size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2
        self._times = Mp4Times(frame_ms or 1000 / _USUAL_FPS)
        self._reformatter = VideoReformatter()
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        rate = Fraction(min(max(fps, _FPS_RANGE[0]), _FPS_RANGE[1])).limit_denominator(1001)
        look = _LOOK_AT_ONE if self.size_wh[0] * self.size_wh[1] > _LARGE_PIXELS else _LOOK_AHEAD
        options = {"preset": "veryfast", "crf": "21", "x264-params": f"{look}:{_ENCODER}"}
        self._stream: VideoStream = self._container.add_stream("libx264", rate=rate, options=options)
        context = self._stream.codec_context
        context.width, context.height = self.size_wh
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS_A_SECOND)
        if pixel_aspect is not None:
            context.sample_aspect_ratio = Fraction(pixel_aspect.replace(":", "/"))
        context.thread_count = _THREADS
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = _BT709

    def add(self, image: Image, timestamp_ms: float) -> int:
        """Append a picture, and return the time that is written for it, in ticks of TICKS_A_SECOND.

        Args:
            image: uint8, shape (h, w, 3), BGR, of the size announced; the last line of an odd side is repeated.
            timestamp_ms: when it is shown.
        """
        right, below = self.size_wh[0] - image.shape[1], self.size_wh[1] - image.shape[0]
        if right or below:
            image = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="bgr24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        ticks = self._times.ticks(timestamp_ms)
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS_A_SECOND)
        frame.duration = self._times.frame_ticks
        self._container.mux(self._stream.encode(frame))
        return ticks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        # After an error nothing is flushed: the encoder may be what failed, and the file is discarded.
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def write_again(
    context: Context[AnnotateSpec] | Context[PlayableCopySpec],
    source: Source,
    output: Path,
    *,
    shown: Callable[[Sheet, Picture], Image],
    note: Callable[[int], None] = lambda _: None,
) -> tuple[int, int]:
    """Write every picture of a source into an MP4, and return the MP4's width and height.

    Args:
        context: of the program, whose progress it is.
        source: of which nothing was read.
        output: the file.
        shown: returns what is written of a picture, in the size of the sheet.
        note: is told the time of each picture that was written, as Mp4Writer.add() returns it.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as in the job.
        OSError: the output cannot be written.
    """
    heartbeat = context.heartbeat
    pictures = DecodeAhead(source, heartbeat, context.limits).pictures()
    heartbeat.enter(Lane.TOOLS, Step.WAIT)
    first = next(pictures)  # a source without any picture raises
    sheet = Sheet(first.image)
    progress = ProgressReport(context, source)
    frame_ms = _frame_ms_of(context.spec.kind, source.claims.fps)
    with Mp4Writer(output, sheet.size_wh, frame_ms=frame_ms, pixel_aspect=source.seen.pixel_aspect) as writer:
        for picture in chain((first,), pictures):
            heartbeat.enter(Lane.TOOLS, Step.FRAME, picture.index)
            note(writer.add(shown(sheet, picture), picture.timestamp_ms))
            progress.at(picture.index + 1)
            heartbeat.enter(Lane.TOOLS, Step.WAIT, picture.index)
        heartbeat.enter(Lane.TOOLS, Step.FINALIZE, source.decoded - 1)
    return writer.size_wh

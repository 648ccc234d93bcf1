"""From a decoded frame to what plugins see: 8-bit BGR, upright, of one size and with one clock for the whole job."""

from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from forgesyte_sdk import Image

from .media_limits import MediaGuard
from .orientation import UPRIGHT, turn_of_frame


class Shaper:
    """Converts frames of any pixel format.

    Non-square pixels, interlaced lines and HDR colours are left as they are.

    Attributes:
        size_wh: of the first picture, upright; (0, 0) before.
        turn: how the newest picture was turned.
        scaled: pictures that had another size than the first and were scaled to it.
    """

    def __init__(self, allowed: MediaGuard) -> None:
        self._allowed = allowed
        self._reformatter = VideoReformatter()
        self.size_wh = (0, 0)
        self.turn = UPRIGHT
        self.scaled = 0

    def shape(self, frame: VideoFrame) -> Image:
        """Return the frame as a picture, C-contiguous.

        Raises:
            Refusal: MEDIA_TOO_LARGE, for a frame that is wider or higher than allowed.
        """
        self._allowed.require_side(frame.width, frame.height)
        self.turn = turn_of_frame(frame)
        upright_wh = self.turn.size_wh(frame.width, frame.height)
        if self.size_wh == (0, 0):
            self.size_wh = upright_wh
        # The size announced at the start of a job holds for all its pictures, as on a player's screen.
        self.scaled += upright_wh != self.size_wh
        width, height = self.turn.size_wh(*self.size_wh)
        frame = self._reformatter.reformat(frame, width=width, height=height, format="bgr24")
        return np.ascontiguousarray(self.turn.apply(cast(Image, frame.to_ndarray())))


class FrameClock:
    """Milliseconds after the first frame, by the frames' own times.

    Attributes:
        steps_back: frames whose time lies before that of the previous frame.
    """

    def __init__(self, fps: float | None) -> None:
        self._step_ms = 1000 / fps if fps else 0.0
        self._first_ms: float | None = None
        self._last_ms: float | None = None
        self.steps_back = 0

    def timestamp_ms(self, frame: VideoFrame) -> float:
        """Return the next frame's time; called once per frame, in order."""
        if frame.pts is not None and frame.time_base is not None:
            shown_ms = float(frame.pts * frame.time_base * 1000)
        elif self._last_ms is None:
            shown_ms = 0.0
        else:
            shown_ms = self._last_ms + self._step_ms  # raw streams carry no times: count on, as a player does
        if self._first_ms is None or self._last_ms is None:
            self._first_ms = self._last_ms = shown_ms
        self.steps_back += shown_ms < self._last_ms
        self._last_ms = shown_ms
        return round(shown_ms - self._first_ms, 3)

"""From a decoded frame to what plugins see: 8-bit BGR, upright and of one size for the whole job."""

from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from forgesyte_sdk import Image

from .facts.colours import Colours, colours_of
from .media_limits import MediaGuard
from .orientation import UPRIGHT, turn_of_frame


class Shaper:
    """Converts frames of any pixel format.

    Non-square pixels and interlaced lines are left as they are.

    Attributes:
        size_wh: of the first picture, upright; (0, 0) before.
        turn: how the newest picture was turned.
        scaled: pictures that had another size than the first and were scaled to it.
        colours: how those of the newest picture were read; None before the first.
    """

    def __init__(self, allowed: MediaGuard) -> None:
        self._allowed = allowed
        self._reformatter = VideoReformatter()
        self.size_wh = (0, 0)
        self.turn = UPRIGHT
        self.scaled = 0
        self.colours: Colours | None = None
        self._tags = (0, 0, 0, 0)

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
        colours = self._colours_of(frame)
        frame = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="bgr24",
            src_colorspace=colours.matrix,
            src_color_range=colours.source_range,
        )
        return np.ascontiguousarray(self.turn.apply(cast(Image, frame.to_ndarray())))

    def _colours_of(self, frame: VideoFrame) -> Colours:
        tags = (frame.colorspace, frame.color_range, frame.width, frame.height)
        if self.colours is None or tags != self._tags:
            self._tags, self.colours = tags, colours_of(frame)
        return self.colours

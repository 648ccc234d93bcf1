"""A learned background and the mask of what differs from it.

Source: Z. Zivkovic, F. van der Heijden, "Efficient adaptive density estimation per image pixel for the task of
background subtraction", Pattern Recognition Letters 27 (2006), as OpenCV's BackgroundSubtractorMOG2; its shadow test
is Prati et al., "Detecting Moving Shadows", IEEE TPAMI 25 (2003).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from forgesyte_sdk import Image

from .exposure import ExposureFollower
from .options import MaskOptions

Mask = NDArray[np.uint8]
"""255 where something moves, else 0; uint8, shape (H, W) of the working size."""

_MOTION = 255
_SHADOW = 127

_SMALLEST_VARIANCE = 25.0
"""Grey levels squared. Compression makes still areas look noiseless; without a floor, every reflection that a passing
car throws on the road counts as motion (seen on a street scene with OpenCV's own floor of 4)."""


class Background:
    """The background of one job. It learns from each frame; frames must be passed in order.

    Args:
        options: how to separate motion from background.
        size_wh: width and height of the frames, in pixels.
    """

    def __init__(self, options: MaskOptions, size_wh: tuple[int, int]) -> None:
        width, height = size_wh
        scale = min(1.0, options.working_width / width)
        self.working_wh = max(1, round(width * scale)), max(1, round(height * scale))
        self._exposure = ExposureFollower(options.history) if options.follow_exposure else None
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=options.history,
            varThreshold=options.threshold**2,
            detectShadows=True,
        )
        self._model.setVarInit(_SMALLEST_VARIANCE)
        self._model.setVarMin(_SMALLEST_VARIANCE)
        self._frames_until_steady = options.warmup_frames
        self._steady_rate = 1.0 / options.history
        self._lowest = _SHADOW if options.include_shadows else _MOTION
        self._speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        reach = round(self.working_wh[0] * options.join_distance / 2)
        self._joint = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))

    def motion_mask(self, image: Image) -> Mask:
        """Return what moves in `image`, and learn from it.

        Args:
            image: uint8, shape (H, W, 3), of the size given at construction; not changed.

        Returns:
            The mask at working size: specks removed, nearby parts joined, holes filled.
        """
        if (image.shape[1], image.shape[0]) != self.working_wh:
            image = np.asarray(cv2.resize(image, self.working_wh, interpolation=cv2.INTER_AREA), np.uint8)
        image = np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.uint8)
        if self._exposure is not None:
            image = self._exposure.even_out(image)
        labels = self._model.apply(image, learningRate=self._next_rate())
        return self._cleaned(np.asarray(labels, np.uint8))

    def _next_rate(self) -> float:
        """OpenCV's own rate (below 0) learns fast at the start; kept on, it would swallow the first slow objects."""
        self._frames_until_steady -= 1
        return -1.0 if self._frames_until_steady >= 0 else self._steady_rate

    def _cleaned(self, labels: NDArray[np.uint8]) -> Mask:
        mask = cv2.threshold(labels, self._lowest - 1, 255, cv2.THRESH_BINARY)[1]
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._speck)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._joint)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return np.asarray(cv2.drawContours(mask, outlines, -1, (255,), cv2.FILLED), np.uint8)

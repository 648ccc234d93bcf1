"""Compensate for what a camera's automatic exposure does to the whole frame.

A bright car under the camera makes the automatic exposure darken everything else: to background subtraction the whole
street moves. So each frame's colours are corrected by one straight line per channel, fitted between the frame and a
small picture of the background; objects are outliers of that fit as long as they cover less than about half of the
frame. A factor alone is not enough: real cameras shift their tone curve too (on a street scene the whole change was
an offset). Rejected: comparing in normalised colour (the noise of dark pixels explodes), local contrast (flat objects
vanish, and they are what we look for).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from forgesyte_sdk import Image

_GRID_WH = (32, 18)
_ROUNDS = 4
_LARGEST_FACTOR = 2.5
_LEVELS = np.arange(256, dtype=np.float32)[:, np.newaxis]

Colours = NDArray[np.float32]
"""Mean colours of the grid's cells: shape (cells, 3), 0 to 255."""

Channels = NDArray[np.floating]
"""One number per channel: shape (3,)."""


class ExposureFollower:
    """Keeps a small picture of the background and adjusts each frame to its brightness and colour.

    Args:
        history: number of frames that the small picture remembers.
    """

    def __init__(self, history: int) -> None:
        self._rate = 1.0 / history
        self._reference: Colours | None = None

    def even_out(self, image: Image) -> Image:
        """Change the frame's colours so that its background looks as it did before.

        Args:
            image: uint8, shape (H, W, 3); not changed.

        Returns:
            A new image of the same shape; the first frame is returned unchanged.
        """
        small = cv2.resize(image, _GRID_WH, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
        if self._reference is None:
            self._reference = small
            return image
        factor, offset = fit_lines(small, self._reference)
        self._reference += self._rate * (small * factor + offset - self._reference)
        curve = np.rint(_LEVELS * factor + offset).clip(0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(image, curve[:, np.newaxis, :]), np.uint8)


def fit_lines(found: Colours, wanted: Colours) -> tuple[Channels, Channels]:
    """Fit `wanted = factor * found + offset` for each channel, robust against outliers.

    Iteratively reweighted least squares with Cauchy weights 1 / (1 + (r / c)^2), c from the median absolute residual;
    the factor is drawn towards 1, because a frame of one colour says nothing about it.
    Source: P. W. Holland, R. E. Welsch, "Robust regression using iteratively reweighted least-squares",
    Communications in Statistics A6 (1977).

    Args:
        found: colours of the frame's cells, shape (cells, 3).
        wanted: colours of the same cells in the background, shape (cells, 3).

    Returns:
        Factor and offset, each of shape (3,).
    """
    factor, offset = _first_guess(found, wanted)
    pull = np.float32(len(found))
    for _ in range(_ROUNDS):
        residual = np.abs(wanted - found * factor - offset)
        spread = np.maximum(2.0 * np.median(residual, axis=0), 1.0)
        weight = 1.0 / (1.0 + (residual / spread) ** 2)
        total = weight.sum(axis=0)
        found_mean, wanted_mean = (weight * found).sum(axis=0) / total, (weight * wanted).sum(axis=0) / total
        away = found - found_mean
        product, square = (weight * away * (wanted - wanted_mean)).sum(axis=0), (weight * away**2).sum(axis=0)
        factor = ((product + pull) / (square + pull)).clip(1 / _LARGEST_FACTOR, _LARGEST_FACTOR)
        offset = wanted_mean - factor * found_mean
    return factor.astype(np.float32), offset.astype(np.float32)


def _first_guess(found: Colours, wanted: Colours) -> tuple[Channels, Channels]:
    """Return a pure offset or a pure factor, whichever fits the channel better: cameras do either, and so close a start
    keeps a bright object from pulling the line towards itself."""
    factor = np.median(wanted / np.maximum(found, 1.0), axis=0).clip(1 / _LARGEST_FACTOR, _LARGEST_FACTOR)
    offset = np.median(wanted - found, axis=0)
    by_factor = np.median(np.abs(wanted - found * factor), axis=0)
    by_offset = np.median(np.abs(wanted - found - offset), axis=0)
    factor_fits = by_factor < by_offset
    return np.where(factor_fits, factor, 1.0), np.where(factor_fits, 0.0, offset)

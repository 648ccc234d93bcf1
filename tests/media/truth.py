"""Pictures that carry their own truth: the frame's number as eight bars, and a corner of red, of green and of blue."""

import numpy as np

from tests.media.plugins.media_truth import BITS

SIZE_WH = (96, 64)
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)
GREY = 128


def draw(number: int, size_wh: tuple[int, int] = SIZE_WH, *, is_rough: bool = False) -> np.ndarray:
    """Draw frame `number` (0 to 255) as (H, W, 3) BGR: red upper left, green upper right, blue lower left.

    Rough pictures carry noise where no truth stands: their files are large enough to be damaged in parts.
    """
    width, height = size_wh
    image = np.full((height, width, 3), GREY, np.uint8)
    y, x = max(1, height // 4), max(1, width // 6)
    image[:y, :x], image[:y, width - x :], image[height - y :, :x] = RED, GREEN, BLUE
    if is_rough:
        random = np.random.default_rng(number)
        image[5 * height // 8 :, x:] = random.integers(0, 256, (height - 5 * height // 8, width - x, 3), np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        image[3 * height // 8 : 5 * height // 8, left:right] = 255 if number >> bit & 1 else 0
    return image


def is_upright(corners: list[list[int]], *, has_colours: bool = True) -> bool:
    """Whether the three corners are where draw() put them; without colours their brightness tells."""
    if has_colours:
        wanted = (2, 1, 0)  # the channel that must stand out: red, green, blue in BGR
        return all(
            corner[channel] > 120 and all(corner[channel] - corner[other] > 60 for other in {0, 1, 2} - {channel})
            for corner, channel in zip(corners, wanted, strict=True)
        )
    red, green, blue = (sum(corner) / 3 for corner in corners)
    return green > red + 20 > blue + 40

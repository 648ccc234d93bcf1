"""From a mask to regions of the frame."""

import cv2
import numpy as np

from forgesyte_sdk import Region

from .background import Mask


def regions_of(mask: Mask, size_wh: tuple[int, int], *, min_share: float, limit: int) -> list[Region]:
    """Return the connected parts of a mask as regions of the frame.

    Args:
        mask: uint8, shape (h, w), 0 where nothing moves; any scale of the frame.
        size_wh: the frame's width and height in pixels.
        min_share: parts below this fraction of the mask are left out.
        limit: the maximum number of regions.

    Returns:
        The regions in pixels of the frame, the largest first.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    parts = stats[1:]  # row 0 is the background
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= min_share * mask.size]
    parts = parts[np.argsort(-parts[:, cv2.CC_STAT_AREA], kind="stable")][:limit]
    height, width = mask.shape
    x_scale, y_scale = size_wh[0] / width, size_wh[1] / height
    return [
        Region(
            xyxy=(left * x_scale, top * y_scale, (left + wide) * x_scale, (top + high) * y_scale),
            area=area * x_scale * y_scale,
            share=area / mask.size,
        )
        for left, top, wide, high, area in parts.tolist()
    ]

"""Small pictures of the frames of a job, made only while a client watches it, a few per second.

They are made here because nothing outside a sandbox opens media. No job fails over them: what cannot be made is left
out.
"""

import time
from contextlib import suppress
from typing import Any

import cv2

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.source import Picture
from forgesyte_sandbox.shared.messages import MAX_PREVIEW_BYTES, Preview
from forgesyte_sdk import Image

EVERY_S = 0.2
MAX_WIDTH_PX = 640
MAX_HEIGHT_PX = 1280
_QUALITY = 60


class PreviewMaker:
    """The previews of one job."""

    def __init__(self, context: Context[Any]) -> None:
        self._context = context
        self._next_s = 0.0

    def offer(self, picture: Picture) -> None:
        """Send a preview of the frame when the job is watched and the last one is long enough ago."""
        if not self._context.heartbeat.is_watched or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + EVERY_S
        jpeg = None
        # A plugin has had the picture and may have changed it into something that is no picture any more.
        with suppress(cv2.error, ValueError, MemoryError):
            jpeg = encode_preview(picture.image)
        if jpeg is not None:
            height, width = picture.image.shape[:2]
            self._context.send(Preview(picture.index, jpeg, width, height))


def encode_preview(image: Image) -> bytes | None:
    """Return the picture as a JPEG within MAX_WIDTH_PX and MAX_HEIGHT_PX; None when that has too many bytes.

    Args:
        image: uint8, shape (h, w, 3), BGR.

    Raises:
        cv2.error, ValueError: it is no picture.
    """
    height, width = image.shape[:2]
    scale = min(1.0, MAX_WIDTH_PX / max(width, 1), MAX_HEIGHT_PX / max(height, 1))
    small = image
    if scale < 1:
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    is_made, jpeg = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return jpeg.tobytes() if is_made and jpeg.size <= MAX_PREVIEW_BYTES else None

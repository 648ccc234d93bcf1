"""Holds media against the limits of an order, and refuses what is too large with both numbers."""

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.limits import MIB
from forgesyte_sandbox.shared.specs import DECODE_MEMORY_BYTES, MediaLimits


class MediaGuard:
    """The limits of one order.

    Args:
        limits: as the order gives them.
        run_memory_bytes: what the run may use in all: no estimate refuses what this allows, unless the order says so.
    """

    __slots__ = ("_decode_memory_bytes", "_max_frames", "_max_image_pixels", "_max_side_px")

    def __init__(self, limits: MediaLimits, *, run_memory_bytes: int = 0) -> None:
        self._max_side_px = limits.max_side_px
        self._max_image_pixels = limits.max_image_pixels
        self._max_frames = limits.max_frames
        self._decode_memory_bytes = limits.decode_memory_bytes or max(DECODE_MEMORY_BYTES, run_memory_bytes)

    def require_side(self, width: int, height: int) -> None:
        """Refuse a video picture that is too wide or too high.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if max(width, height) > self._max_side_px:
            found = f"the video is {width} x {height} pixels, at most {self._max_side_px} pixels per side are accepted"
            raise too_large(f"{found}; scale it down")

    def require_pixels(self, width: int, height: int) -> None:
        """Refuse an image with too many pixels.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if width * height > self._max_image_pixels:
            found = f"the image has {width} x {height} = {width * height} pixels"
            raise too_large(f"{found}, at most {self._max_image_pixels} are accepted; scale it down")

    def require_frames(self, frames: int | None) -> None:
        """Refuse a video with too many frames; None is an unknown number and passes.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if self._max_frames is not None and frames is not None and frames > self._max_frames:
            raise too_large(
                f"the video has {frames} frames, at most {self._max_frames} are accepted; split it into parts"
            )

    def require_memory(self, estimate_bytes: int, width: int, height: int) -> None:
        """Refuse what would need too much memory.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if estimate_bytes > self._decode_memory_bytes:
            needed = f"decoding {width} x {height} pixels needs about {-(-estimate_bytes // MIB)} MiB of memory"
            raise too_large(f"{needed}, at most {self._decode_memory_bytes // MIB} MiB are allowed; scale it down")


def too_large(text: str) -> Refusal:
    """Return the refusal for media above a limit; the text names both numbers."""
    return Refusal(Code.MEDIA_TOO_LARGE, text, error_type="MediaTooLarge")

"""How large media may be: the contract's limits for pictures, frames and the memory of decoding, read from a spec."""

from dataclasses import dataclass
from typing import Any, Self

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.child.refusal import Refusal

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits on what is decoded; the fields are keys of a spec.

    Attributes:
        max_side_px: longest side of a video's pictures.
        max_image_pixels: width times height of an image.
        max_frames: frames of a video; None is any number.
        decode_memory_bytes: what the estimate for decoding may reach.
    """

    max_side_px: int = 8192
    max_image_pixels: int = 50_000_000
    max_frames: int | None = None
    decode_memory_bytes: int = 1024 * _MIB

    @classmethod
    def read(cls, spec: dict[str, Any], **defaults: int) -> Self:
        """Take the known keys of a spec; `defaults` stand for those that are not there."""
        given = {name: spec[name] for name in cls.__dataclass_fields__ if name in spec}
        return cls(**{**defaults, **given})

    def require_side(self, width: int, height: int) -> None:
        """Refuse a video picture that is too wide or too high.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if max(width, height) > self.max_side_px:
            found = f"the video is {width} x {height} pixels, at most {self.max_side_px} pixels a side are accepted"
            raise too_large(f"{found}; scale it down")

    def require_pixels(self, width: int, height: int) -> None:
        """Refuse an image with too many pixels.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if width * height > self.max_image_pixels:
            found = f"the image has {width} x {height} = {width * height} pixels"
            raise too_large(f"{found}, at most {self.max_image_pixels} are accepted; scale it down")

    def require_frames(self, frames: int | None) -> None:
        """Refuse a video with too many frames; None is an unknown number and passes.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if self.max_frames is not None and frames is not None and frames > self.max_frames:
            raise too_large(f"the video has {frames} frames, at most {self.max_frames} are accepted; cut it in parts")

    def require_memory(self, estimate_bytes: int, width: int, height: int) -> None:
        """Refuse what would need too much memory.

        Raises:
            Refusal: MEDIA_TOO_LARGE.
        """
        if estimate_bytes > self.decode_memory_bytes:
            needed = f"decoding {width} x {height} pixels needs about {-(-estimate_bytes // _MIB)} MiB of memory"
            raise too_large(f"{needed}, at most {self.decode_memory_bytes // _MIB} MiB are allowed; scale it down")


def too_large(text: str) -> Refusal:
    """Make the refusal for media above a limit; the text names both numbers."""
    return Refusal(Code.MEDIA_TOO_LARGE, text, error_type="MediaTooLarge")

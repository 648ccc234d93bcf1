"""Opens a video or an image as what the caller says it is."""

from pathlib import Path

from .image_source import Still
from .media_limits import MediaGuard
from .source import Source
from .video_source import Decoder


def open_source(path: Path, kind: str, allowed: MediaGuard) -> Source:
    """Open a file for decoding.

    Args:
        path: the file.
        kind: `video` or `image`, as the job says; the other kind is refused.
        allowed: the limits on what is decoded.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as far as that shows before the first picture.
        ValueError: another kind.
    """
    if kind == "video":
        return Decoder(path, allowed)
    if kind == "image":
        return Still(path, allowed)
    raise ValueError(f"expected kind video or image, found {kind!r}")

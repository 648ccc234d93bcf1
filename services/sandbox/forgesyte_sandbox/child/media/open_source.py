"""Opens a file as the video or the image that the caller says it is."""

from pathlib import Path

from .image_source import ImageSource
from .media_limits import MediaGuard
from .source import Source
from .video_source import VideoSource


def open_source(path: Path, kind: str, allowed: MediaGuard, *, video_stream: int | None = None) -> Source:
    """Open a file for decoding.

    Args:
        path: the file.
        kind: `video` or `image`, as the job says; the other kind is refused.
        allowed: the limits on what is decoded.
        video_stream: index of the stream to decode; None leaves the choice.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as far as the headers show it; REQUEST_INVALID, when the wanted
            stream is no video.
        ValueError: another kind.
    """
    if kind == "video":
        return VideoSource(path, allowed, video_stream=video_stream)
    if kind == "image":
        return ImageSource(path, allowed)
    raise ValueError(f"expected kind video or image, found {kind!r}")

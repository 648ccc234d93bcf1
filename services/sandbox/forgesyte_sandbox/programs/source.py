"""Where pictures come from: a video or an image, opened by what the caller says it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from forgesyte_sdk import Image

from .media import Claims
from .media_limits import MediaLimits


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame: upright BGR pixels, index from 0, milliseconds after the first frame."""

    image: Image
    index: int
    timestamp_ms: float


class Source(Protocol):
    """One pass over one file. Its counters may be read from another thread while it works.

    Attributes:
        claims: what the file says of itself.
        decoded: pictures given so far.
        corrupt: packets and pictures with damage so far.
        rotation: degrees clockwise by which pictures are turned upright; known from the first picture on.
        decode_ms: time spent in reading, decoding and converting.
        warnings: what the user should know; appended to, never shortened.
    """

    claims: Claims
    decoded: int
    corrupt: int
    rotation: int
    decode_ms: float
    warnings: list[str]

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first picture, upright; (0, 0) before. Later pictures are scaled to it."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """Give the pictures in the order they are shown.

        Raises:
            Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE.
            MemoryError: the decoder was refused memory.
        """
        ...


def open_source(path: Path, kind: str, allowed: MediaLimits | None = None) -> Source:
    """Open a file for decoding.

    Args:
        path: the file.
        kind: `video` or `image`, as the job says; the other kind is refused.
        allowed: the limits on what is decoded; None is their defaults.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE, as far as that shows before the first picture.
        ValueError: another kind.
    """
    from .decode import Decoder
    from .still import Still

    allowed = allowed or MediaLimits()
    if kind == "video":
        return Decoder(path, allowed)
    if kind == "image":
        return Still(path, allowed)
    raise ValueError(f"expected kind video or image, found {kind!r}")

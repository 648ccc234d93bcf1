"""Where pictures come from: what a video and an image have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from forgesyte_sandbox.shared import messages
from forgesyte_sdk import Image

from .media import Claims


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame: upright BGR pixels, index from 0, milliseconds after the first frame."""

    image: Image
    index: int
    timestamp_ms: float


class Source(Protocol):
    """One pass over one file. Its counters may be read from another thread while it works.

    Attributes:
        claims: what the file says about itself.
        decoded: pictures yielded so far.
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
    warnings: list[messages.Warning]

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first picture, upright; (0, 0) before. Later pictures are scaled to it."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in display order.

        Raises:
            Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE.
            MemoryError: the decoder was refused memory.
        """
        ...

"""Where pictures come from: what a video and an image have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from forgesyte_sandbox.shared import messages
from forgesyte_sdk import Image

from .media import Claims


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame: upright BGR pixels, index from 0, milliseconds after the first frame.

    `time_us` is the same time on the container's timeline, in microseconds; an image has 0.
    """

    image: Image
    index: int
    timestamp_ms: float
    time_us: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the media as far as it was decoded, in the words of `decode`; all of it None for an image.

    Attributes:
        fps: frames per second, measured between the first and the newest frame; the announced rate before that.
        fps_nominal: the announced rate.
        clock: by which rule frames got their times: pts, best_effort or counted.
        video_stream: index of the decoded stream among all of the file.
        color: how colours are read, and what of that is assumed.
        pixel_aspect: shape of an upright pixel, as width:height.
        estimated_total: how many frames there may be, going by the length that the container states.
    """

    fps: float | None = None
    fps_nominal: float | None = None
    clock: messages.Clock | None = None
    video_stream: int | None = None
    color: str | None = None
    pixel_aspect: str | None = None
    estimated_total: int | None = None


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

    @property
    def seen(self) -> Seen:
        """What is known of the media so far; complete from the first picture on, but for what is measured."""
        ...

    @property
    def is_as_stated(self) -> bool:
        """Whether, at the end, the pictures were as the file states: none damaged, scaled or given another time."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in display order.

        Raises:
            Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE.
            MemoryError: the decoder was refused memory.
        """
        ...

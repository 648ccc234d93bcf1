"""One line of the table: how a file is made, what the probe must say, what the job must find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .making import FPS, FRAMES
from .truth import SIZE_WH

EVERY = tuple(range(FRAMES))
LAST_MS = (FRAMES - 1) * 1000 / FPS


@dataclass(frozen=True)
class Accepted:
    """A file that can be decoded.

    Attributes:
        name: of the line.
        make: writes the file into a folder.
        numbers: the numbers drawn into the frames that must come out, in order; None for pictures too small to read.
        frames: how many, from-to, where damage leaves it open; else len(numbers).
        last_ms: timestamp of the last frame; None where damage leaves it open.
        announced: what the probe says of the number of frames, and whether that is exact; None leaves it open.
        warns: words that must stand in a warning; none at all when empty.
        corrupt: whether damage must have been counted.
    """

    name: str
    make: Callable[[Path], Path]
    codec: str
    container: str
    kind: str = "video"
    numbers: Sequence[int] | None = EVERY
    frames: tuple[int, int] | None = None
    last_ms: float | None = LAST_MS
    size_wh: tuple[int, int] = SIZE_WH
    rotation: int = 0
    announced: tuple[int | None, bool] | None = (FRAMES, False)
    warns: str = ""
    corrupt: bool = False
    has_colours: bool = True
    streams: dict[str, int] | None = None
    spec: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A file that is refused, by the probe and by the job alike.

    Attributes:
        says: words that must stand in the sentence.
        spec: limits of its own.
    """

    name: str
    make: Callable[[Path], Path]
    says: tuple[str, ...]
    code: str = "MEDIA_INVALID"
    kind: str = "video"
    spec: dict = field(default_factory=dict)

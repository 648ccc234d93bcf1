"""When a job's progress is worth a write of its record, and how fast it is at present.

Pure: it is given frames and seconds and never reads a clock.
"""

from collections import deque
from dataclasses import dataclass

POINTS = 5
"""Percentage points after which progress is written at once."""


@dataclass(slots=True)
class ProgressPolicy:
    """Decides when to write: at the start, every POINTS points, and otherwise at most every `every_s` seconds.

    Attributes:
        every_s: seconds between two writes that are less than POINTS points apart.
    """

    every_s: float = 1.0
    _frame: int = -1
    _percent: int = 0
    _at_s: float = float("-inf")

    def is_due(self, frame: int, percent: int, now_s: float) -> bool:
        """Whether `frame` frames done at `now_s` (monotonic seconds) should be written now."""
        if frame == self._frame:
            return False
        return percent // POINTS > self._percent // POINTS or now_s - self._at_s >= self.every_s

    def written(self, frame: int, percent: int, now_s: float) -> None:
        """Remember what the record has said since `now_s`."""
        self._frame, self._percent, self._at_s = frame, percent, now_s


RATE_OVER_S = 2.0
RATE_AFTER_S = 0.5
"""Before that, a rate says more about chance than about the job."""


class FrameRate:
    """Frames done per second over the last RATE_OVER_S seconds, from the first frame on."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, frames: int, now_s: float) -> None:
        """Note that `frames` frames are done at `now_s` (monotonic seconds)."""
        if frames == 0:
            self._seen.clear()
            return
        self._seen.append((now_s, frames))
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - RATE_OVER_S:
            self._seen.popleft()

    @property
    def per_second(self) -> float | None:
        """The rate to one decimal; None until it was watched for RATE_AFTER_S seconds."""
        if not self._seen:
            return None
        (begin_s, first), (end_s, last) = self._seen[0], self._seen[-1]
        if end_s - begin_s < RATE_AFTER_S:
            return None
        return round((last - first) / (end_s - begin_s), 1)

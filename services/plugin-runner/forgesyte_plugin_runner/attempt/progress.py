"""When a job's progress is worth a write of its record.

Pure: it is given frames and seconds and never reads a clock.
"""

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

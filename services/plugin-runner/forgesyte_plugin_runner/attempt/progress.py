"""When a job's progress is worth a write of its record, and what per cent it is.

Pure: it is told frames and seconds, and never looks at a clock.
"""

from dataclasses import dataclass

POINTS = 5
"""Per cent points after which progress is written at once."""


def percent_of(done: int, total: int | None) -> int:
    """Frames done as whole per cent, rounded down: 0 when the total is unknown or 0, and at most 99.

    100 is left to the completed record: a container that announces too few frames must not show a job as done.
    """
    if not total or total < 0:
        return 0
    return max(0, min(99, 100 * done // total))


@dataclass(slots=True)
class ProgressPolicy:
    """Says when to write: at the start, at each POINTS points, else at most every `every_s` seconds.

    Attributes:
        every_s: seconds between two writes that less than POINTS points separate.
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
        """Remember what the record says since `now_s`."""
        self._frame, self._percent, self._at_s = frame, percent, now_s

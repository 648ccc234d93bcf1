"""How often a client may do something: a burst at once, then so many times a second."""

from collections.abc import Callable
from time import monotonic


class Allowance:
    """A token bucket: full at the start, one token per event, refilled at a steady rate.

    Args:
        burst: how many events may follow each other at once; also the most that is saved up.
        per_s: how many more are allowed per second.
        now_s: the clock, monotonic seconds.
    """

    __slots__ = ("_burst", "_left", "_now_s", "_per_s", "_seen_s")

    def __init__(self, *, burst: int, per_s: float, now_s: Callable[[], float] = monotonic) -> None:
        self._burst = burst
        self._per_s = per_s
        self._now_s = now_s
        self._left = float(burst)
        self._seen_s = now_s()

    def take(self) -> bool:
        """Take one; False when none is left."""
        now_s = self._now_s()
        self._left = min(self._burst, self._left + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

"""Whether this runner itself is well: a sick one must not burn the attempts of good jobs.

What counts is a fault of the runner or its machine (the sandbox does not start, scratch is full, the store refuses),
never one of a job or a plugin. After each fault in a row pulling rests twice as long; the first job that comes to an
end of its own says that all is well again.
"""

import time
from collections.abc import Callable

MAX_REST_S = 60.0
SICK_AFTER_FAULTS = 3


class FaultBackoff:
    """Counts faults in a row.

    Args:
        monotonic: seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._in_a_row = 0
        self._rests_until_s = 0.0

    def faulted(self) -> None:
        """This runner had a fault: it pulls nothing for 1, 2, 4 ... seconds."""
        self._in_a_row += 1
        self._rests_until_s = self._monotonic() + min(2.0 ** (self._in_a_row - 1), MAX_REST_S)

    def recovered(self) -> None:
        """A job came to an end of its own here."""
        self._in_a_row = 0
        self._rests_until_s = 0.0

    @property
    def rests(self) -> bool:
        """Whether nothing should be pulled now."""
        return self._monotonic() < self._rests_until_s

    def check(self) -> bool | str:
        """For readiness: True while well, else what is the matter."""
        if self._in_a_row < SICK_AFTER_FAULTS:
            return True
        return f"{self._in_a_row} jobs in a row could not be run for a fault of this runner; its log says which"

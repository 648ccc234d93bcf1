"""Whether this runner itself is well: a sick runner must not use up the attempts of good jobs.

Only faults of the runner or its machine count (the sandbox does not start, scratch is full, the store refuses), never
those of a job or a plugin, and never a zygote that died: one of the jobs on it may have killed it. After each fault in
a row the runner pauses pulling twice as long; the first job that comes to an end of its own shows that all is well
again.
"""

from forgesyte_chassis.clock import Clock

MAX_REST_S = 10.0
"""So that a fault of the machine holds back no other plugin's jobs for longer."""

SICK_AFTER_FAULTS = 3


class FaultBackoff:
    """Counts faults in a row.

    Args:
        clock: the runner's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_a_row = 0
        self._rests_until_s = float("-inf")

    def faulted(self) -> None:
        """Note a fault of this runner: it pulls nothing for 1, 2, 4 ... seconds."""
        self._in_a_row += 1
        self._rests_until_s = self._clock.monotonic_s() + min(2.0 ** (self._in_a_row - 1), MAX_REST_S)

    def recovered(self) -> None:
        """Note that a job came to an end of its own here."""
        self._in_a_row = 0
        self._rests_until_s = float("-inf")

    @property
    def in_a_row(self) -> int:
        """How many faults there were since a job last came to an end of its own."""
        return self._in_a_row

    @property
    def is_resting(self) -> bool:
        """Whether nothing should be pulled now."""
        return self._clock.monotonic_s() < self._rests_until_s

    def check(self) -> bool | str:
        """For readiness: True while well, else the problem."""
        if self._in_a_row < SICK_AFTER_FAULTS:
            return True
        return f"{self._in_a_row} jobs in a row could not run because of a fault of this runner; check its log"

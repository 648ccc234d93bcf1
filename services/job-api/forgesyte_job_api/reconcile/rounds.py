"""How the reconciler's rounds go: how many failed, and how long ago the last complete one was.

A service that no longer reconciles still answers every request, so only this tells an operator: the metrics
`forgesyte_api_reconcile_failures_total` and `forgesyte_api_reconcile_age_seconds`, and a check of /health.
"""

from collections.abc import Iterable
from enum import Enum, auto

from forgesyte_chassis.clock import Clock
from forgesyte_job_api.health.report import OK
from forgesyte_job_api.metrics import ApiMetrics

STALE_AFTER_ROUNDS = 30
"""How many periods may pass without a complete round before health is degraded: one that waits for a slow store or
looks at thousands of jobs may last for several."""


class RoundOutcome(Enum):
    """How one round ended.

    Attributes:
        COMPLETE: every job was reconciled.
        INCOMPLETE: every job was looked at, and some could not be reconciled. This counts as a failure, but the others
            are served, so the age starts again: one bad job must not make the whole service look ill.
        FAILED: the round ended before every job was looked at, or what all jobs need was unavailable.
        DEFERRED: the round waits for the bus or for the projection; the check of the bus says so. It is not a failure,
            but the last complete round grows older.
    """

    COMPLETE = auto()
    INCOMPLETE = auto()
    FAILED = auto()
    DEFERRED = auto()


def worst_of(outcomes: Iterable[RoundOutcome]) -> RoundOutcome:
    """Return the outcome of a round over jobs with these outcomes: FAILED before INCOMPLETE before COMPLETE."""
    severity = (RoundOutcome.COMPLETE, RoundOutcome.INCOMPLETE, RoundOutcome.FAILED)
    return max(outcomes, key=severity.index, default=RoundOutcome.COMPLETE)


class Rounds:
    """Notes how each round ended.

    Args:
        clock: its monotonic time is used; the age counts from now until the first complete round.
        metrics: where failures are counted and the age is shown.
        every_s: seconds between two rounds.
    """

    def __init__(self, clock: Clock, metrics: ApiMetrics, *, every_s: float) -> None:
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._last_complete_s = clock.monotonic_s()
        metrics.show_reconcile_age(self.age_s)

    def note(self, outcome: RoundOutcome) -> None:
        """Note how a round ended."""
        if outcome in (RoundOutcome.COMPLETE, RoundOutcome.INCOMPLETE):
            self._last_complete_s = self._clock.monotonic_s()
        if outcome in (RoundOutcome.INCOMPLETE, RoundOutcome.FAILED):
            self._metrics.reconcile_failed()

    def age_s(self) -> float:
        """Return how many seconds ago the last complete round ended."""
        return self._clock.monotonic_s() - self._last_complete_s

    def health(self) -> str:
        """Return `ok`, or the sentence that /health shows when the last complete round is too old."""
        age_s = self.age_s()
        if age_s <= STALE_AFTER_ROUNDS * self._every_s:
            return OK
        return (
            f"the reconciler's last complete round was {age_s:.0f} s ago; one is expected every {self._every_s:g} s. "
            "Jobs whose work message was lost are not sent again. The log of job-api says what failed."
        )

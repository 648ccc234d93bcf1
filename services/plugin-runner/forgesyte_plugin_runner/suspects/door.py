"""The door of a runner: which job may come in beside those that run there, so that a suspect always runs alone.

contracts/blame.py says what a suspect is. A busy runner that a suspect found stays closed for a while, so that its jobs
end and the suspect gets its turn. Once rows beyond its faults have cleared the suspect, the door opens again.
"""

from collections.abc import Callable
from enum import StrEnum

from forgesyte_chassis.bus import Elsewhere
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts.blame import Circumstances, has_control, needs_control, seconds_to_wait
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord

from .calm import CalmMachine

AGAIN_S = 0.2
"""Seconds until a job that may not come in is offered again. This runner asks again after a second, so that another
one, which may admit it, is likely to ask first."""

CLOSED_S = 10.0
CLOSED_EVERY_S = 30.0
"""A runner that a suspect found busy takes nothing for CLOSED_S seconds of each CLOSED_EVERY_S."""


class Suspects(StrEnum):
    """Which jobs a runner takes."""

    ALONE = "alone"
    """All; a suspect only while nothing else runs here, and then nothing beside it."""

    NEVER = "never"
    """All but suspects: other runners take those."""

    ONLY = "only"
    """Suspects alone, one at a time: a cell."""


class Door:
    """Admits the jobs of one runner.

    Args:
        mode: which jobs this runner takes.
        calm: what is known of the faults of this machine.
        clock: the runner's.
        is_loading: returns whether plugins are being loaded, whose code runs beside the jobs.
        runs_alone: returns whether a job that runs here still has the runner to itself.
    """

    def __init__(
        self,
        mode: Suspects,
        calm: CalmMachine,
        clock: Clock,
        *,
        is_loading: Callable[[], bool] = lambda: False,
        runs_alone: Callable[[JobId], bool] = lambda _job_id: True,
    ) -> None:
        self.mode = mode
        self._calm = calm
        self._clock = clock
        self._is_loading = is_loading
        self._runs_alone = runs_alone
        self._inside: set[JobId] = set()
        self._alone: JobId | None = None
        self._closed_at_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether asking the queue for another job makes sense now."""
        return not self._is_held and not (self._inside and self._is_closing)

    async def admit(self, record: JobRecord) -> Circumstances | Elsewhere:
        """Let a job in, whose leave() must follow, or say when it may try again."""
        calm = await self._calm.periods() if needs_control(record) else []
        job_id = JobId(record.job_id)
        is_controlled = has_control(record, calm)
        if record.is_suspect:
            refusal = self._refuse_suspect(record, is_controlled=is_controlled)
        else:
            refusal = self._refuse_other()
        if refusal is not None:
            return refusal
        self._inside.add(job_id)
        if record.is_suspect:
            self._alone = job_id
            self._closed_at_s = float("-inf")
        return circumstances_here(alone=record.is_suspect, has_control=is_controlled)

    def leave(self, job_id: JobId) -> None:
        """Note that a job has left, or that it did not come in after all."""
        self._inside.discard(job_id)
        if self._alone == job_id:
            self._alone = None

    def _refuse_suspect(self, record: JobRecord, *, is_controlled: bool) -> Elsewhere | None:
        if self.mode is Suspects.NEVER:
            return Elsewhere("suspect", AGAIN_S)
        if self._is_loading():
            return Elsewhere("suspect", AGAIN_S)
        if self._inside - {JobId(record.job_id)}:
            self._close()
            return Elsewhere("suspect", AGAIN_S)
        wait_s = seconds_to_wait(record, self._clock.now(), is_controlled=is_controlled)
        return Elsewhere("no control", wait_s) if wait_s > 0 else None

    def _refuse_other(self) -> Elsewhere | None:
        if self.mode is Suspects.ONLY:
            return Elsewhere("no suspect", AGAIN_S)
        if self._is_held or self._is_closing:
            return Elsewhere("held", AGAIN_S)
        return None

    @property
    def _is_held(self) -> bool:
        return self._alone is not None and self._runs_alone(self._alone)

    @property
    def _is_closing(self) -> bool:
        return self._clock.monotonic_s() - self._closed_at_s < CLOSED_S

    def _close(self) -> None:
        if self._clock.monotonic_s() - self._closed_at_s >= CLOSED_EVERY_S:
            self._closed_at_s = self._clock.monotonic_s()

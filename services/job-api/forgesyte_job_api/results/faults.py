"""What went wrong in the makings of a workshop, kept so that no client has the same making fail again.

A client asks every few seconds, and one making can take minutes of a core. What may pass by itself is kept for a minute
and everything else, which the same media most likely meets again, for an hour.
"""

from dataclasses import dataclass
from typing import Any

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.problems import Code, ForgeSyteError

FAULT_KEPT_S = 60.0
"""Seconds for which a fault that may pass by itself is told; then the file is made again."""

LASTING_FAULT_S = 3600.0
"""Seconds for which any other fault is told."""

MAX_FAULTS = 4096
"""How many faults are kept; of more, the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class _Fault:
    until_s: float
    code: Code
    detail: str
    data: dict[str, Any]


class KeptFaults:
    """The last fault of each job, for as long as it may last.

    Kept as facts, not as exceptions: those hold the frames they passed through, and grow each time they are raised.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: dict[JobId, _Fault] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._faults)

    def of(self, job_id: JobId) -> ForgeSyteError | None:
        """Return a new error that tells what went wrong; None when nothing did or it may be over."""
        fault = self._faults.get(job_id)
        if fault is None or fault.until_s <= self._clock.monotonic_s():
            return None
        return ForgeSyteError(fault.code, fault.detail, **fault.data)

    def keep(self, job_id: JobId, error: ForgeSyteError) -> None:
        """Keep a fault in place of an earlier one of the same job."""
        now_s = self._clock.monotonic_s()
        self._faults.pop(job_id, None)  # so that it is the newest
        self._faults = {one: fault for one, fault in self._faults.items() if fault.until_s > now_s}
        while len(self._faults) >= MAX_FAULTS:
            del self._faults[next(iter(self._faults))]
        lifetime_s = FAULT_KEPT_S if error.retryable else LASTING_FAULT_S
        self._faults[job_id] = _Fault(now_s + lifetime_s, error.code, error.detail, error.data)

    def forget(self, job_id: JobId) -> None:
        """Forget the fault of a job: its file is made again."""
        self._faults.pop(job_id, None)

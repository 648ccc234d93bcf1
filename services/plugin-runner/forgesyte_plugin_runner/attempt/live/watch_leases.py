"""Which jobs are being watched: the gateways repeat it for as long as they have watchers, and silence ends a lease.

A lease may arrive before its job is claimed here, so every runner keeps the leases of all jobs. Nothing is acknowledged
and nothing is stored: a lost lease costs a watcher three seconds of live messages and no more.
"""

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId

LEASE_S = 10.0
"""How long a lease holds; gateways renew it every three seconds."""

MAX_LEASES = 10_000
"""Jobs remembered at most; beyond that the lease renewed longest ago is dropped."""


class WatchLeases:
    """The jobs that are watched.

    Args:
        clock: the runner's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._renewed_s: dict[JobId, float] = {}  # the one renewed longest ago first

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._renewed_s)

    def renew(self, job_id: JobId) -> None:
        """Note that the job is watched now."""
        now_s = self._clock.monotonic_s()
        self._renewed_s.pop(job_id, None)
        self._renewed_s[job_id] = now_s
        while self._is_oldest_stale(now_s):
            del self._renewed_s[next(iter(self._renewed_s))]

    def holds(self, job_id: JobId) -> bool:
        """Whether the job's lease was renewed within the last LEASE_S seconds."""
        renewed_s = self._renewed_s.get(job_id)
        return renewed_s is not None and self._clock.monotonic_s() - renewed_s < LEASE_S

    def _is_oldest_stale(self, now_s: float) -> bool:
        oldest_s = next(iter(self._renewed_s.values()))
        return len(self._renewed_s) > MAX_LEASES or now_s - oldest_s >= LEASE_S

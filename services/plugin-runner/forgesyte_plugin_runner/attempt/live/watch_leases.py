"""Which jobs somebody watches at the moment: said by the gateways again and again, forgotten when they fall silent.

A word may come before its job is claimed here, so it is kept for any job, and each runner hears every word. Nothing is
asked back and nothing is stored: a lease that is lost costs a watcher three seconds of live messages, no more.
"""

import time
from collections.abc import Callable

from forgesyte_contracts.ids import JobId

LEASE_S = 10.0
"""How long a word holds; gateways say it every three seconds."""

MAX_LEASES = 10_000
"""Jobs remembered at most; above that the one said longest ago is forgotten."""


class WatchLeases:
    """The jobs that are watched.

    Args:
        monotonic: seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said_s: dict[JobId, float] = {}  # the one said longest ago first

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._said_s)

    def renew(self, job_id: JobId) -> None:
        """Somebody watches the job now."""
        now_s = self._monotonic()
        self._said_s.pop(job_id, None)
        self._said_s[job_id] = now_s
        while self._is_oldest_stale(now_s):
            del self._said_s[next(iter(self._said_s))]

    def holds(self, job_id: JobId) -> bool:
        """Whether somebody said so within the last LEASE_S seconds."""
        said_s = self._said_s.get(job_id)
        return said_s is not None and self._monotonic() - said_s < LEASE_S

    def _is_oldest_stale(self, now_s: float) -> bool:
        oldest_s = next(iter(self._said_s.values()))
        return len(self._said_s) > MAX_LEASES or now_s - oldest_s >= LEASE_S

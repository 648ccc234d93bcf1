"""Whether job-api can do its work and jobs get on: each check's finding. The report is reused briefly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.disk_watch import DiskWatch
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.http.health import HealthReport
from forgesyte_job_api.catalog import Catalog
from forgesyte_job_api.projection import Projection
from forgesyte_job_api.settings import JobApiSettings

from .standing_jobs import StandingJobs

log = structlog.get_logger(__name__)

OK = "ok"
_PROBE_BLOB = "health/probe"
_BEHIND = "the list of jobs is behind the message broker (NATS)"


@dataclass(slots=True)
class HealthCheck:
    """Checks what job-api depends on; `reconciler` returns that check's own finding, OK or a sentence."""

    bus: Bus
    store: Store
    disk: DiskWatch
    projection: Projection
    catalog: Catalog
    standing: StandingJobs
    reconciler: Callable[[], str]
    settings: JobApiSettings
    clock: Clock
    version: str
    _last: HealthReport | None = None
    _last_s: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def report(self) -> HealthReport:
        """Run the checks, or return the report of a moment ago."""
        async with self._asking:
            if self._last is None or self.clock.monotonic_s() - self._last_s > self.settings.health_kept_s:
                self._last = await self._look()
                self._last_s = self.clock.monotonic_s()
            return self._last

    async def _look(self) -> HealthReport:
        checks = {
            "bus": self.bus.fault or OK,
            "storage": await self._storage(),
            **self._jobs(),
            "projection": _BEHIND if self.projection.is_far_behind else OK,
            "reconciler": self.reconciler(),
        }
        return HealthReport(
            status="healthy" if all(said == OK for said in checks.values()) else "degraded",
            version=self.version,
            plugins_loaded=self.catalog.usable_count(),
            checks=checks,
        )

    def _jobs(self) -> dict[str, str]:
        """Check that jobs get on, except around an outage of the bus, when no runner can show that it lives."""
        if self.bus.usable_for_s < self.settings.judge_runners_after_s:
            return {"runners": OK, "plugins": OK, "progress": OK}
        return {
            "runners": self.standing.without_runner() or OK,
            "plugins": self.standing.without_plugin() or OK,
            "progress": self.standing.overdue() or OK,
        }

    async def _storage(self) -> str:
        if (fault := self.disk.fault) is not None:
            return fault.text
        try:
            async with asyncio.timeout(self.settings.storage_limit_s):
                await self.store.size(_PROBE_BLOB)
        except TimeoutError:
            return f"the store did not answer within {self.settings.storage_limit_s:g} s"
        except Exception as error:  # an HTTP border: whatever the store's client raises is the finding itself
            log.warning("store not readable", exc_info=True)
            return f"the store cannot be read ({type(error).__name__})"
        return OK

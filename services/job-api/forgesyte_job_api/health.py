"""Whether job-api can do its work: bus, store, projection and reconciler; the report is reused briefly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.http.health import HealthReport

from .catalog import Catalog
from .projection import Projection
from .settings import JobApiSettings

log = structlog.get_logger(__name__)

OK = "ok"
_PROBE_BLOB = "health/probe"


@dataclass(slots=True)
class HealthCheck:
    """Checks what job-api depends on; `reconciler` returns that check's own finding, OK or a sentence."""

    bus: Bus
    store: Store
    projection: Projection
    catalog: Catalog
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
            "bus": OK if self.bus.is_connected else "the connection to the message broker (NATS) is down",
            "storage": await self._storage(),
            "projection": OK if self.projection.is_current else "the list of jobs is behind the message broker (NATS)",
            "reconciler": self.reconciler(),
        }
        return HealthReport(
            status="healthy" if all(said == OK for said in checks.values()) else "degraded",
            version=self.version,
            plugins_loaded=self.catalog.usable_count(),
            checks=checks,
        )

    async def _storage(self) -> str:
        try:
            async with asyncio.timeout(self.settings.storage_limit_s):
                await self.store.size(_PROBE_BLOB)
        except TimeoutError:
            return f"the store did not answer within {self.settings.storage_limit_s:g} s"
        except Exception as error:  # an HTTP border: whatever the store's client raises is the finding itself
            log.warning("store not readable", exc_info=True)
            return f"the store cannot be read ({type(error).__name__})"
        return OK

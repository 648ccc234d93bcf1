"""What is left to do after a job has ended: copy its record to the store, take its work message and key off the bus.

The service that ends a job does the first two itself; this is for the case that it died right afterwards.
"""

from datetime import timedelta

import structlog

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_job_api.metrics import ApiMetrics, Reconciled
from forgesyte_job_api.projection import SeenJob
from forgesyte_job_api.results.archive import Archive

log = structlog.get_logger(__name__)


class Endings:
    """Settles ended jobs: record.json after `copy_after_s` seconds, the purge `purge_after_s` after the ending."""

    def __init__(
        self,
        bus: Bus,
        archive: Archive,
        clock: Clock,
        metrics: ApiMetrics,
        *,
        copy_after_s: float,
        purge_after_s: float,
    ) -> None:
        self._bus = bus
        self._metrics = metrics
        self._archive = archive
        self._clock = clock
        self._copy_after_s = copy_after_s
        self._purge_after = timedelta(seconds=purge_after_s)
        self._copied: set[JobId] = set()

    def forget_all_but(self, on_bus: set[JobId]) -> None:
        """Forget jobs that have left the bus."""
        self._copied &= on_bus

    async def look_at(self, seen: SeenJob) -> None:
        """Do what is due for one ended job.

        Raises:
            ForgeSyteError: the bus or the store is unavailable; the next round tries again.
        """
        record = seen.record
        job_id = JobId(record.job_id)
        if job_id not in self._copied:
            if self._clock.monotonic_s() - seen.since_s < self._copy_after_s:
                return
            await self.settle(record)
        ended_at = record.completed_at or record.updated_at
        if self._clock.now() - ended_at >= self._purge_after:
            await self._purge(job_id, seen.revision)

    async def _purge(self, job_id: JobId, revision: int) -> None:
        try:
            await self._bus.jobs.purge(job_id, revision=revision)
        except BusUnavailable:
            raise
        except ForgeSyteError:
            # An ended record never changes again: another replica purged it first, and the feed will report that.
            log.debug("record had already left the bus", job_id=job_id)
        else:
            self._metrics.reconciled(Reconciled.RECORD_PURGED)
            log.info("record left the bus", job_id=job_id)

    async def settle(self, record: JobRecord) -> None:
        """Write record.json if it is missing, and take back the work message, which no runner needs any more."""
        job_id = JobId(record.job_id)
        if await self._archive.keep_record(record):
            self._metrics.reconciled(Reconciled.RECORD_KEPT)
            log.info("record kept in place of its writer", job_id=job_id, status=record.status.value)
        await self._bus.work.purge(job_id, record.plugin_id, record.device)
        self._copied.add(job_id)

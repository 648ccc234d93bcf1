"""Checks all jobs on the bus, round by round: restarts those that have stalled and ends those that cannot go on.

Any number of replicas may do this at once: every step is either a compare-and-set, a create-only put or a publish
that only the first can make. Nothing is done while the bus is unavailable or the projection is behind, and owners and
runners are judged only after the bus has been connected for a while.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import Catalog
from forgesyte_job_api.metrics import ApiMetrics, Reconciled
from forgesyte_job_api.projection import Projection, SeenJob
from forgesyte_job_api.results.archive import Archive
from forgesyte_job_api.settings import JobApiSettings

from .ended_jobs import Endings
from .lost_work import Resender
from .orphans import Orphans, recall
from .rounds import RoundOutcome, Rounds, worst_of
from .unrunnable import Unrunnable

DEFERRED_EVERY_S = 0.5
"""The longest pause after a round that waits for the bus or the projection."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reconciler:
    """The reconciler of one job-api: what it needs, and what it remembers from round to round."""

    bus: Bus
    store: Store
    settings: JobApiSettings
    clock: Clock
    metrics: ApiMetrics
    catalog: Catalog
    projection: Projection
    archive: Archive
    _resender: Resender = field(init=False)
    _endings: Endings = field(init=False)
    _unrunnable: Unrunnable = field(init=False)
    _orphans: Orphans = field(init=False)
    _next_sweep_s: float = 0.0
    _is_recalled: bool = False
    _reconnects: int = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self._resender = Resender(self.bus, self.projection, self.clock, after_s=settings.resend_after_s)
        self._endings = Endings(
            self.bus,
            self.archive,
            self.clock,
            self.metrics,
            copy_after_s=settings.record_copy_after_s,
            purge_after_s=settings.purge_record_after_s,
        )
        self._unrunnable = Unrunnable(self.clock, broken_s=settings.broken_plugin_s, absent_s=settings.absent_plugin_s)
        self._orphans = Orphans(self.bus, self.store, self.projection, self.clock, after_s=settings.orphan_after_s)
        self._reconnects = self.bus.reconnects

    async def run(self, rounds: Rounds) -> None:
        """Do a round every `reconcile_every_s` seconds until cancelled, and note in `rounds` how each ended."""
        while True:
            try:
                outcome = await self.round()
            except ForgeSyteError as error:
                outcome = RoundOutcome.FAILED
                log.warning("reconciler round broken off", error=str(error))
            except Exception:  # a border like a message handler's: a fault in one round must not end all later ones
                outcome = RoundOutcome.FAILED
                log.exception("reconciler round failed")
            rounds.note(outcome)
            every_s = self.settings.reconcile_every_s
            # One that waits for the bus costs nothing, and the first one after an outage should not be late.
            await asyncio.sleep(min(every_s, DEFERRED_EVERY_S) if outcome is RoundOutcome.DEFERRED else every_s)

    async def round(self) -> RoundOutcome:
        """Look at every job once.

        Raises:
            ForgeSyteError: the bus or the store became unavailable during the round.
        """
        if self.bus.fault is not None or self.bus.reconnects != self._reconnects:
            self._reconnects = self.bus.reconnects
            self._unrunnable.reset()
        if self.bus.fault is not None or not self.projection.is_current:
            return RoundOutcome.DEFERRED
        may_judge = self.bus.usable_for_s >= self.settings.judge_after_s
        jobs = self.projection.on_bus()
        self._forget(jobs)
        outcomes = [await self._look_at(seen, may_judge_owner=may_judge) for seen in jobs]
        if may_judge:
            await self._end_unrunnable(jobs)
            await self._sweep()
        await self._recall()
        return worst_of(outcomes)

    async def _look_at(self, seen: SeenJob, *, may_judge_owner: bool) -> RoundOutcome:
        """Do what is due for one job; when that fails, it is logged here and the other jobs still get their turn."""
        try:
            if seen.record.is_terminal:
                await self._endings.look_at(seen)
            elif await self._resender.look_at(seen, may_judge_owner=may_judge_owner):
                self.metrics.reconciled(Reconciled.WORK_SENT_AGAIN)
        except BusUnavailable:
            raise
        except ForgeSyteError as error:  # the store is unavailable, which concerns every job
            log.warning("job not reconciled", job_id=seen.record.job_id, error=str(error))
            return RoundOutcome.FAILED
        except Exception:  # a border like a message handler's: one bad job must not hold up the others
            log.exception("job not reconciled", job_id=seen.record.job_id)
            return RoundOutcome.INCOMPLETE
        return RoundOutcome.COMPLETE

    def _forget(self, jobs: list[SeenJob]) -> None:
        self._resender.forget_all_but({JobId(seen.record.job_id) for seen in jobs if not seen.record.is_terminal})
        self._endings.forget_all_but({JobId(seen.record.job_id) for seen in jobs})

    async def _end_unrunnable(self, jobs: list[SeenJob]) -> None:
        waiting = [seen.record for seen in jobs if self._waits(seen.record)]
        verdicts = self._unrunnable.verdicts(self.catalog.observe(), waiting)
        for job_id, reason in verdicts.items():
            await self._end(job_id, reason)

    def _waits(self, record: JobRecord) -> bool:
        """Whether the job needs a runner: it never had one, was given back, or its owner is dead."""
        if record.status is not JobStatus.RUNNING:
            return record.status is JobStatus.PENDING
        return record.owner is None or not self.catalog.lives(record.owner)

    async def _end(self, job_id: JobId, reason: str) -> None:
        def failed(record: JobRecord) -> JobRecord:
            if not self._waits(record):
                return record
            now = self.clock.now()
            if record.owner is not None:
                record = moves.orphaned(record, record.owner, "its runner disappeared", now)
                if record.is_terminal:
                    return record
            return moves.failed(record, Code.PLUGIN_UNAVAILABLE, "PluginUnavailable", reason, now)

        stored = await self.bus.jobs.change(job_id, failed)
        self.projection.apply(job_id, stored.record, stored.revision)
        if stored.record.is_terminal:
            self.metrics.reconciled(Reconciled.NO_RUNNER_FOR_IT)
            log.info("job ended, no runner can run it", job_id=job_id, plugin=stored.record.plugin_id, reason=reason)
            await self._endings.settle(stored.record)

    async def _recall(self) -> None:
        if not self._is_recalled:
            self._is_recalled = True
            try:
                await recall(self.store, self.archive, self.projection, history=self.settings.history)
            except ForgeSyteError:
                self._is_recalled = False  # the store was unavailable: the next round tries again
                raise

    async def _sweep(self) -> None:
        if self.clock.monotonic_s() < self._next_sweep_s:
            return
        self._next_sweep_s = self.clock.monotonic_s() + self.settings.orphan_sweep_every_s
        self.metrics.reconciled(Reconciled.BLOBS_REMOVED, len(await self._orphans.sweep()))

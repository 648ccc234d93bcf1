"""Round by round over all jobs on the bus: whatever stands still is set going, whatever can not go on is ended.

Any number of replicas may do this at once: every step is either a compare-and-set, a create-only put or a publish
that only the first can make. Nothing is done while the bus is away or the projection is behind, and owners and
runners are judged only after a stretch of unbroken bus.
"""

import asyncio

import structlog

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.metrics import Reconciled
from forgesyte_job_api.projection import Seen
from forgesyte_job_api.state import ApiState

from .ended_jobs import Endings
from .lost_work import Resender
from .orphans import Orphans, recall
from .unrunnable import Unrunnable

log = structlog.get_logger(__name__)


class Reconciler:
    """The reconciler of one job-api."""

    def __init__(self, state: ApiState) -> None:
        settings = state.settings
        self._state = state
        self._resender = Resender(state.bus, state.projection, state.clock, after_s=settings.resend_after_s)
        self._endings = Endings(
            state.bus,
            state.archive,
            state.clock,
            state.metrics,
            copy_after_s=settings.record_copy_after_s,
            purge_after_s=settings.purge_record_after_s,
        )
        self._unrunnable = Unrunnable(state.clock, broken_s=settings.broken_plugin_s, absent_s=settings.absent_plugin_s)
        self._orphans = Orphans(state.bus, state.store, state.projection, state.clock, after_s=settings.orphan_after_s)
        self._next_sweep_s = 0.0
        self._is_recalled = False
        self._reconnects = state.bus.reconnects

    async def run(self) -> None:
        """Do a round every `reconcile_every_s` seconds until cancelled."""
        while True:
            try:
                await self.round()
            except ForgeSyteError as error:
                log.warning("round broken off", error=str(error))
            except Exception:  # a border like a message handler's: a fault in one round must not end all later ones
                log.exception("round failed")
            await asyncio.sleep(self._state.settings.reconcile_every_s)

    async def round(self) -> None:
        """Look at every job once.

        Raises:
            ForgeSyteError: the bus or the store went away in the middle.
        """
        state = self._state
        if not state.bus.is_connected or state.bus.reconnects != self._reconnects:
            self._reconnects = state.bus.reconnects
            self._unrunnable.reset()
        if not (state.bus.is_connected and state.projection.is_current):
            return
        may_judge = state.bus.connected_for_s >= state.settings.judge_after_s
        jobs = state.projection.on_bus()
        self._forget(jobs)
        for seen in jobs:
            await self._look_at(seen, may_judge_owner=may_judge)
        if may_judge:
            await self._end_unrunnable(jobs)
            await self._sweep()
        await self._recall()

    async def _look_at(self, seen: Seen, *, may_judge_owner: bool) -> None:
        try:
            if seen.record.is_terminal:
                await self._endings.look_at(seen)
            elif await self._resender.look_at(seen, may_judge_owner=may_judge_owner):
                self._state.metrics.reconciled(Reconciled.WORK_SENT_AGAIN)
        except BusUnavailable:
            raise
        except Exception:  # a border like a message handler's: one bad job must not keep the others from their turn
            log.exception("job not reconciled", job_id=seen.record.job_id)

    def _forget(self, jobs: list[Seen]) -> None:
        self._resender.forget_all_but({JobId(seen.record.job_id) for seen in jobs if not seen.record.is_terminal})
        self._endings.forget_all_but({JobId(seen.record.job_id) for seen in jobs})

    async def _end_unrunnable(self, jobs: list[Seen]) -> None:
        waiting = [seen.record for seen in jobs if self._waits(seen.record)]
        verdicts = self._unrunnable.verdicts(self._state.catalog.observe(), waiting)
        for job_id, reason in verdicts.items():
            await self._end(job_id, reason)

    def _waits(self, record: JobRecord) -> bool:
        """Whether the job needs a runner: it never had one, was given back, or its owner is dead."""
        if record.status is not JobStatus.RUNNING:
            return record.status is JobStatus.PENDING
        return record.owner is None or not self._state.catalog.lives(record.owner)

    async def _end(self, job_id: JobId, reason: str) -> None:
        state = self._state

        def failed(record: JobRecord) -> JobRecord:
            if not self._waits(record):
                return record
            now = state.clock.now()
            if record.owner is not None:
                record = moves.died(record, AttemptOutcome.LOST, record.current_frame, "its runner disappeared", now)
                if record.is_terminal:
                    return record
            return moves.failed(record, Code.PLUGIN_UNAVAILABLE, "PluginUnavailable", reason, now)

        stored = await state.bus.jobs.change(job_id, failed)
        state.projection.apply(job_id, stored.record, stored.revision)
        if stored.record.is_terminal:
            state.metrics.reconciled(Reconciled.NOBODY_CAN_RUN_IT)
            log.info("job ended, nobody can run it", job_id=job_id, plugin=stored.record.plugin_id, reason=reason)
            await self._endings.settle(stored.record)

    async def _recall(self) -> None:
        state = self._state
        if not self._is_recalled:
            self._is_recalled = True
            await recall(state.store, state.archive, state.projection, history=state.settings.history)

    async def _sweep(self) -> None:
        state = self._state
        if state.clock.monotonic_s() < self._next_sweep_s:
            return
        self._next_sweep_s = state.clock.monotonic_s() + state.settings.orphan_sweep_every_s
        state.metrics.reconciled(Reconciled.BLOBS_REMOVED, len(await self._orphans.sweep()))

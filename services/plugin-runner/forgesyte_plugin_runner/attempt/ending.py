"""How an attempt ends: for each outcome the write of the record, and only then the answer to the queue.

| outcome                   | record                                    | queue                    |
| succeeded                 | completed, after rows and result document | ack                      |
| failed by its own fault   | failed                                    | ack                      |
| timeout, oom, crashed     | died: running without owner, or failed    | the next attempt, or ack |
| released                  | released: running without owner           | nak                      |
| its zygote died under it  | faulted: running without owner, or failed | nak at once, or ack      |
| fault of this runner      | released: running without owner           | nak, later each time     |
| record cannot be written  | failed, without what did not fit          | ack                      |
| cancelled by a user       | cancelled, after the rows that are here   | ack                      |
| ended by others           | already written; kept as record.json      | ack                      |
| fenced                    | belongs to another attempt                | nothing, never again     |
"""

import errno
import os
from datetime import datetime

import structlog

from forgesyte_chassis.bus import Delivery, RecordUnwritable
from forgesyte_chassis.machine import circumstances_here
from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_chassis.store.rowfile import RowsDamaged
from forgesyte_contracts import moves
from forgesyte_contracts.blame import Fault, judge
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord
from forgesyte_contracts.moves import Fenced
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.plugins.plugin_faults import blame_death, blame_failure
from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason
from forgesyte_sandbox.parent.outcome import SandboxOutcome

from .delivery_hold import DeliveryHold
from .failure import Failure, death_of, failure_of
from .recorder import Recorder
from .resources import AttemptReports
from .state.attempt_state import AttemptState
from .store_retry import PatientStore, StoreLost
from .stored_result import RowsMissing, keep_record, keep_warnings, write_result

log = structlog.get_logger(__name__)

HANDOVER_DELAY_S = 3.0
"""Before a job is retried after a fault of this runner, not of the job; doubled each time in a row."""

MAX_HANDOVER_DELAY_S = 60.0


def handover_delay_s(record: JobRecord) -> float:
    """Return the seconds until a released job is retried: its attempts are limited, and the fault may take a while."""
    in_a_row = 0
    for attempt in reversed(record.attempts):
        if attempt.outcome is not AttemptOutcome.RELEASED:
            break
        in_a_row += 1
    return min(HANDOVER_DELAY_S * 2.0 ** max(in_a_row - 1, 0), MAX_HANDOVER_DELAY_S)


class Ending:
    """Writes the end of one attempt.

    Attributes:
        passed_on: the message, once the sandbox has died and the job may be tried again in this very runner.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        hold: DeliveryHold,
        stop: Stop,
        state: AttemptState,
        storage: PatientStore,
        reports: AttemptReports,
    ) -> None:
        self._recorder = recorder
        self._hold = hold
        self._stop = stop
        self._state = state
        self._storage = storage
        self._plugins, self._metrics, self._backoff = reports.plugins, reports.metrics, reports.backoff
        self._input_id = ""
        self.passed_on: Delivery | None = None

    async def settle(self, result: SandboxOutcome | Failure | None, *, input_id: str = "") -> None:
        """Write what `result` means into the record and answer the queue.

        Args:
            result: what came of the attempt; None when it was stopped first.
            input_id: distinguishes its media from other media.
        """
        self._input_id = input_id
        if self._stop.reason not in (StopReason.FENCED, StopReason.CANCELLED):
            await self._keep_warnings()
        try:
            await self._settle(result)
        except RecordUnwritable as fault:
            await self._fail_unwritten(fault)

    async def _keep_warnings(self) -> None:
        record = self._recorder.record
        await keep_warnings(self._storage, record, self._state.warnings.beyond(record))

    async def _settle(self, result: SandboxOutcome | Failure | None) -> None:
        try:
            if self._stop.reason is not None or result is None:
                await self._obey()
            elif isinstance(result, Failure):
                await self._fail(result)
            else:
                await self._end_with(result)
        except Stopped:
            await self._obey()
        except Fenced:
            await self._step_aside()
        except StoreLost as fault:
            log.error("store refuses the ending", error=str(fault))
            await self._release_for_fault()
        except (RowsMissing, RowsDamaged, BlobMissing) as fault:
            log.error("stored rows do not match the attempt", job_id=self._recorder.record.job_id, error=str(fault))
            await self._release_or_step_aside()

    async def _obey(self) -> None:
        """Do what the stop demands."""
        match self._stop.reason:
            case StopReason.CANCELLED:
                await self._cancel()
            case StopReason.RELEASED:
                await self._release_or_step_aside(at_once=True)
            case StopReason.FAULT:
                await self._release_for_fault()
            case StopReason.UNWRITABLE if self._recorder.unwritable is not None:
                raise self._recorder.unwritable
            case _:
                await self._step_aside()

    async def _end_with(self, outcome: SandboxOutcome) -> None:
        record = self._recorder.record
        if not outcome.ok:
            log.warning(
                "sandbox failed",
                job_id=record.job_id,
                outcome=outcome.kind,
                error_type=outcome.error_type,
                error=outcome.error,
                frame=outcome.frame,
                traceback=outcome.traceback,
                log_tail=outcome.log_tail,
            )
        if outcome.kind == "succeeded":
            await self._complete()
        elif outcome.kind == "failed" and self._is_disk_to_blame(outcome):
            await self._release_for_fault()
        elif outcome.kind == "failed":
            blame_failure(self._plugins, record.plugin_id, outcome)
            await self._fail(failure_of(outcome, record.plugin_id))
        elif death := death_of(outcome):
            await self._die(outcome, *death)
        elif outcome.kind == "surroundings":
            await self._end_with_surroundings(outcome)
        else:
            await self._release_for_fault()

    def _is_disk_to_blame(self, outcome: SandboxOutcome) -> bool:
        """Whether it failed as this machine's disk is full, which is no fault of the plugin."""
        return self._storage.has_disk_fault() and os.strerror(errno.ENOSPC) in (outcome.error or "")

    async def _complete(self) -> None:
        self._stop.finish()
        final = await self._recorder.flush()
        self._require_all_committed(final)
        await self._stop.guard(self._storage.persist(lambda store: write_result(store, final)))
        record = await self._recorder.close(AttemptOutcome.SUCCEEDED, moves.completed)
        self._plugins.record_success(record.plugin_id)
        await self._finish(record, AttemptOutcome.SUCCEEDED)

    def _require_all_committed(self, record: JobRecord) -> None:
        if self._state.frames_done != self._state.counts.rows:
            text = f"{self._state.frames_done} rows were made and {self._state.counts.rows} are committed"
            raise RowsMissing(Code.INTERNAL, text, job_id=record.job_id)

    async def _cancel(self) -> None:
        # First of all the record: the client that cancelled waits for it.
        try:
            record = await self._close_cancelled()
        except Fenced:
            await self._step_aside()
            return
        self._metrics.attempt_ended(record, AttemptOutcome.CANCELLED)
        log.info("job cancelled", job_id=record.job_id, attempt=record.attempt)
        await self._keep_warnings()
        await keep_record(self._storage, record)
        await self._hold.ack()

    async def _close_cancelled(self) -> JobRecord:
        close = self._recorder.close
        try:
            return await close(AttemptOutcome.CANCELLED, moves.cancelled)
        except RecordUnwritable:
            return await close(AttemptOutcome.CANCELLED, moves.cancelled, with_state=False)

    async def _fail(self, failure: Failure) -> None:
        def fail(record: JobRecord, now: datetime) -> JobRecord:
            told = moves.with_log_tail(record, failure.log_tail)
            return moves.failed(told, failure.code, failure.error_type, failure.message, now, frame=failure.frame)

        await self._finish(await self._recorder.close(AttemptOutcome.FAILED, fail), AttemptOutcome.FAILED)

    async def _fail_unwritten(self, fault: RecordUnwritable) -> None:
        """End the job because its record cannot hold what the attempt has: the next attempt would fail the same way."""

        def fail(record: JobRecord, now: datetime) -> JobRecord:
            return moves.failed(record, Code.INTERNAL, type(fault).__name__, fault.detail, now)

        log.error("record cannot be written", job_id=self._recorder.record.job_id, error=fault.detail)
        try:
            record = await self._recorder.close(AttemptOutcome.FAILED, fail, with_state=False)
        except Fenced:
            await self._step_aside()
        else:
            await self._finish(record, AttemptOutcome.FAILED)

    async def _die(self, outcome: SandboxOutcome, death: AttemptOutcome, what: str) -> None:
        # Before the write: no further job should go to a plugin that turns out to be broken.
        if outcome.decoding is None:
            blame_death(self._plugins, self._recorder.record, outcome, what=what, input_id=self._input_id)
        self._stop.hand_over()

        def die(known: JobRecord, now: datetime) -> JobRecord:
            return moves.died(moves.with_log_tail(known, outcome.log_tail), death, outcome.frame, what, now)

        record = await self._recorder.close(death, die)
        if record.is_terminal:
            self._plugins.record_error(record.plugin_id)
            await self._finish(record, death)
            return
        self._metrics.attempt_ended(record, death)
        self._backoff.recovered()
        self.passed_on = self._hold.pass_on()

    async def _end_with_surroundings(self, outcome: SandboxOutcome) -> None:
        """Judge the job by the rule of contracts/blame.py. This runner saw what happened, and is none the worse."""
        record, what = self._recorder.record, outcome.clause or "what runs its sandbox died"
        attempt = record.attempts[-1]
        fault = Fault(
            what=what,
            frame=outcome.frame,
            is_witnessed=circumstances_here().witnesses(attempt),
            was_alone=attempt.alone,
            has_control=attempt.has_control,
        )
        how = judge(record, fault).outcome
        self._stop.hand_over()
        told = moves.with_log_tail
        record = await self._recorder.close(
            how, lambda known, now: moves.faulted(told(known, outcome.log_tail), fault, now)
        )
        if record.is_terminal:
            if record.error_code == Code.PLUGIN_CRASH:
                blame_death(self._plugins, record, outcome, what=what, input_id=self._input_id)
            self._plugins.record_error(record.plugin_id)
            await self._finish(record, how)
            return
        self._metrics.attempt_ended(record, how)
        log.warning("sandbox lost with its surroundings", job_id=record.job_id, outcome=how, suspicion=record.suspicion)
        await self._hold.nak()

    async def _release_for_fault(self) -> None:
        self._backoff.faulted()
        await self._release_or_step_aside()

    async def _release(self, *, at_once: bool) -> None:
        frame = self._state.frames_done or None
        self._stop.hand_over()
        record = await self._recorder.close(
            AttemptOutcome.RELEASED, lambda known, now: moves.released(known, frame, now)
        )
        self._metrics.attempt_ended(record, AttemptOutcome.RELEASED)
        log.info("job released", job_id=record.job_id, attempt=record.attempt, frame=frame)
        if at_once:
            await self._hold.nak()
        else:
            self._hold.nak_later(handover_delay_s(record))

    async def _finish(self, record: JobRecord, outcome: AttemptOutcome) -> None:
        self._metrics.attempt_ended(record, outcome)
        self._backoff.recovered()
        await keep_record(self._storage, record)
        log.info("job ended", job_id=record.job_id, status=record.status, attempt=record.attempt)
        await self._hold.ack()

    async def _release_or_step_aside(self, *, at_once: bool = False) -> None:
        try:
            await self._release(at_once=at_once)
        except Fenced:
            await self._step_aside()

    async def _step_aside(self) -> None:
        record = self._recorder.record
        if self._stop.reason is StopReason.ENDED or self._recorder.ended is not None:
            log.info("job had already ended elsewhere", job_id=record.job_id, attempt=record.attempt)
            self._metrics.attempt_ended(self._recorder.ended or record, AttemptOutcome.CANCELLED)
            if self._recorder.ended is not None:
                await keep_record(self._storage, self._recorder.ended)
            await self._hold.ack()
            return
        self._metrics.attempt_ended(record, AttemptOutcome.FENCED)
        log.warning("attempt fenced", job_id=record.job_id, attempt=record.attempt)
        self._hold.drop()

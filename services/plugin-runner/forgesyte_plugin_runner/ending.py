"""How an attempt ends: each outcome with its write of the record, and only then with its word to the queue.

| outcome                   | record                                    | queue                    |
| succeeded                 | completed, after rows and result document | ack                      |
| failed by its own fault   | failed                                    | ack                      |
| timeout, oom, crashed     | died: running without owner, or failed    | nak soon, or ack         |
| released, zygote died     | released: running without owner           | nak                      |
| ended by others           | is written already; kept as record.json   | ack                      |
| fenced                    | belongs to another attempt                | nothing, never again     |
"""

from datetime import datetime

import structlog

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord
from forgesyte_contracts.moves import Fenced
from forgesyte_sandbox.outcome import SandboxOutcome

from .failure import Failure, death_of, failure_of
from .hold import Hold
from .ledger import Ledger
from .recorder import Recorder
from .resultdoc import write_record, write_result
from .stopping import Stop, Stopped, StopReason
from .storefaults import StoreLost
from .workplace import Workplace

log = structlog.get_logger(__name__)

NEXT_ATTEMPT_DELAY_S = 0.2
"""Between a death and the next attempt: short, but a plugin that dies at once does not spin the queue."""

HANDOVER_DELAY_S = 3.0
"""Before a job is tried again after this runner, not the job, had a fault."""


class Ending:
    """Writes the end of one attempt."""

    def __init__(self, place: Workplace, recorder: Recorder, hold: Hold, stop: Stop, ledger: Ledger) -> None:
        self._place = place
        self._recorder = recorder
        self._hold = hold
        self._stop = stop
        self._ledger = ledger

    async def settle(self, result: SandboxOutcome | Failure | None) -> None:
        """Bring record and queue to what `result` means; None and a stop mean that there is none."""
        try:
            if self._stop.reason is StopReason.RELEASED:
                await self._release(0.0)
            elif self._stop.reason is not None or result is None:
                await self._step_aside()
            elif isinstance(result, Failure):
                await self._fail(result)
            else:
                await self._end_with(result)
        except (Fenced, Stopped):
            await self._step_aside()
        except StoreLost as fault:
            log.error("store refuses the ending", error=str(fault))
            await self._release_or_step_aside()

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
        elif outcome.kind == "failed":
            self._place.registry.record_error(record.plugin_id)
            await self._fail(failure_of(outcome, record.plugin_id))
        elif death := death_of(outcome):
            self._place.registry.record_error(record.plugin_id)
            await self._die(*death, outcome.frame)
        else:
            await self._release(HANDOVER_DELAY_S)

    async def _complete(self) -> None:
        self._stop.finish()
        committed = await self._recorder.flush()
        final = committed.model_copy(update={"summary": self._ledger.summary})
        await self._stop.guard(self._place.patience.persist(lambda: write_result(self._place.store, final)))

        def complete(record: JobRecord, now: datetime) -> JobRecord:
            return moves.completed(record, now, summary=self._ledger.summary)

        record = await self._recorder.close(AttemptOutcome.SUCCEEDED, complete)
        self._place.registry.record_success(record.plugin_id)
        await self._finish(record)

    async def _fail(self, failure: Failure) -> None:
        def fail(record: JobRecord, now: datetime) -> JobRecord:
            return moves.failed(
                record, failure.code, failure.error_type, failure.message, now, frame=failure.frame
            ).model_copy(update={"summary": self._ledger.summary})

        await self._finish(await self._recorder.close(AttemptOutcome.FAILED, fail))

    async def _die(self, death: AttemptOutcome, what: str, frame: int | None) -> None:
        record = await self._recorder.close(death, lambda known, now: moves.died(known, death, frame, what, now))
        if record.is_terminal:
            await self._finish(record)
            return
        await self._hold.nak(NEXT_ATTEMPT_DELAY_S)

    async def _release(self, delay_s: float) -> None:
        frame = self._ledger.frames_done or None
        record = await self._recorder.close(
            AttemptOutcome.RELEASED, lambda known, now: moves.released(known, frame, now)
        )
        log.info("job released", job_id=record.job_id, attempt=record.attempt, frame=frame)
        await self._hold.nak(delay_s)

    async def _finish(self, record: JobRecord) -> None:
        await self._keep(record)
        log.info("job ended", job_id=record.job_id, status=record.status, attempt=record.attempt)
        await self._hold.ack()

    async def _keep(self, record: JobRecord) -> None:
        try:
            await self._place.patience.persist(lambda: write_record(self._place.store, record))
        except StoreLost as fault:
            log.error("record not kept in the store", job_id=record.job_id, error=str(fault))

    async def _release_or_step_aside(self) -> None:
        try:
            await self._release(HANDOVER_DELAY_S)
        except Fenced:
            await self._step_aside()

    async def _step_aside(self) -> None:
        record = self._recorder.record
        if self._stop.reason is StopReason.ENDED:
            log.info("job ended by others", job_id=record.job_id, attempt=record.attempt)
            if self._recorder.ended is not None:
                await self._keep(self._recorder.ended)
            await self._hold.ack()
            return
        log.warning("attempt fenced", job_id=record.job_id, attempt=record.attempt)
        self._hold.drop()

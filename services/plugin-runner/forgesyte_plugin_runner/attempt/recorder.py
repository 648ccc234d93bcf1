"""Writes one attempt into its record: the only writer for as long as the attempt owns the job.

It writes what the progress policy and the committer make due, and reads the record when it has written nothing for a
while. Either way it learns when the job was cancelled or belongs to another attempt. While the bus is unavailable it
keeps trying; the rows do not wait for it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from forgesyte_chassis.bus import BusUnavailable, Records, RecordUnwritable, Stored
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.waiting import is_set_within, retry
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, StageTimings
from forgesyte_contracts.moves import Fenced, require_owner
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import ResultSummary
from forgesyte_plugin_runner.stopping import Stop, StopReason

from .delivery_hold import DeliveryHold
from .live.warning_backpressure import WarningBackpressure
from .progress import ProgressPolicy
from .state.attempt_state import AttemptState

log = structlog.get_logger(__name__)

READ_AFTER_S = 2.0
"""A recorder that has written nothing for this long reads the record."""

_LAST_WORDS = (StopReason.ENDED, StopReason.FENCED, StopReason.UNWRITABLE)
_TICK_S = 0.5
_RETRY_EVERY_S = 0.25

Move = Callable[[JobRecord, datetime], JobRecord]


class Recorder:
    """Keeps the record of one attempt true.

    Attributes:
        ended: the record as others ended it, once the recorder has seen that.
        unwritable: why the attempt's state can never be written, once the recorder has seen that.
        warnings: limits how fast they come.
    """

    def __init__(
        self,
        records: Records,
        claimed: Stored,
        *,
        state: AttemptState,
        hold: DeliveryHold,
        stop: Stop,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._records = records
        self._known = claimed
        self._job_id = JobId(claimed.record.job_id)
        self._runner_id = claimed.record.owner or ""
        self._attempt = claimed.record.attempt
        self._state = state
        self._hold = hold
        self._stop = stop
        self._clock = clock
        self._policy = ProgressPolicy(every_s)
        self._policy.written(0, 0, clock.monotonic_s())
        self._due = asyncio.Event()
        self._lock = asyncio.Lock()
        self._is_closing = False
        self.warnings = WarningBackpressure(state.warnings, lambda: self.record)
        self.ended: JobRecord | None = None
        self.unwritable: RecordUnwritable | None = None

    @property
    def record(self) -> JobRecord:
        """The record as this attempt last wrote it."""
        return self._known.record

    def notice(self) -> None:
        """Check whether the state holds something that should be written now."""
        is_progress = self._policy.is_due(
            self._state.frames_done, self._state.progress_percent, self._clock.monotonic_s()
        )
        if self._state.is_news or is_progress:
            self._due.set()

    async def run(self) -> None:
        """Write and read until close() or a final stop."""
        while not self._is_over:
            if not await is_set_within(self._due, _TICK_S):
                self.notice()
            await self._step()

    async def close(self, outcome: AttemptOutcome, move: Move, *, with_state: bool = True) -> JobRecord:
        """Write the end of the attempt together with its state; return the record.

        It keeps trying while the bus is unavailable. Writing twice is writing once: if the record already holds this
        end of this attempt, that counts as success.

        Args:
            outcome: the outcome in the attempt's entry.
            move: makes the record's next state.
            with_state: False leaves out the state, and whatever earlier writes may have made large.

        Raises:
            Fenced: another attempt owns the job, or it has ended; the stop's reason says which.
            RecordUnwritable: the end cannot be written with the state, however often it is tried.
        """
        self._is_closing = True

        def end(record: JobRecord) -> JobRecord:
            if self._is_ended_by_us(record, outcome):
                return record
            self._require_ours(record)
            now = self._clock.now()
            return move(self._state.apply(record, now) if with_state else _slim(record), now)

        return await self._insist(end)

    async def flush(self) -> JobRecord:
        """Write the state as it is now, and return the record.

        Raises:
            Fenced: as close().
            RecordUnwritable: as close().
        """
        return await self._insist(self._write)

    async def look(self) -> None:
        """Read the record and stop if the job is no longer ours; do nothing once the end is being written.

        Raises:
            BusUnavailable: it could not be read.
        """
        # Under the lock, so that our own end, which leaves the job without an owner, is never mistaken for another's.
        async with self._lock:
            if not self._is_closing:
                self._judge(await self._records.get(self._job_id))

    @property
    def _is_over(self) -> bool:
        return self._is_closing or self._stop.reason in _LAST_WORDS

    async def _step(self) -> None:
        try:
            if self._due.is_set():
                await self._change(self._write)
            elif self._hold.untouched_s >= READ_AFTER_S:
                await self.look()
        except Fenced:
            return
        except RecordUnwritable as fault:
            self.unwritable = fault
            self._stop.ask(StopReason.UNWRITABLE)
        except BusUnavailable:
            await asyncio.sleep(_RETRY_EVERY_S)

    def _write(self, record: JobRecord) -> JobRecord:
        self._require_ours(record)
        return self._state.apply(record, self._clock.now())

    async def _insist(self, fn: Callable[[JobRecord], JobRecord]) -> JobRecord:
        return await retry(lambda: self._change(fn), on=BusUnavailable, every_s=_RETRY_EVERY_S)

    async def _change(self, fn: Callable[[JobRecord], JobRecord]) -> JobRecord:
        async with self._lock:
            self._due.clear()
            had_news, self._state.is_news = self._state.is_news, False
            frame, percent = self._state.frames_done, self._state.progress_percent
            begun = self._clock.monotonic_s()
            self._policy.written(frame, percent, begun)  # what is being written is not due a second time
            try:
                stored = await self._records.change(self._job_id, fn, known=self._known)
            except BusUnavailable:
                self._state.is_news |= had_news
                self._due.set()
                raise
            except ForgeSyteError as fault:
                if fault.code is Code.JOB_UNKNOWN:
                    self._judge(None)
                    raise Fenced(fault.code, fault.detail, job_id=self._job_id) from fault
                raise
            self._known = stored
            self.warnings.written()
            self._hold.touch()
            now_s = self._clock.monotonic_s()
            self._state.add_stage_ms("publish", 1000 * (now_s - begun))
            self._policy.written(frame, percent, now_s)
            return stored.record

    def _require_ours(self, record: JobRecord) -> None:
        try:
            require_owner(record, self._runner_id, self._attempt)
        except Fenced:
            self._judge_lost(record)
            raise

    def _judge(self, stored: Stored | None) -> None:
        if stored is None:
            self._stop.ask(StopReason.ENDED)
            return
        try:
            self._require_ours(stored.record)
        except Fenced:
            return
        self._hold.touch()

    def _judge_lost(self, record: JobRecord) -> None:
        # The message of an ended job may be acknowledged. The message of another attempt is not ours to touch, from
        # this moment on and not only once the sandbox is dead.
        if record.is_terminal:
            self.ended = record
            self._stop.ask(StopReason.ENDED)
        else:
            self._hold.drop()
            self._stop.ask(StopReason.FENCED)

    def _is_ended_by_us(self, record: JobRecord, outcome: AttemptOutcome) -> bool:
        last = record.attempts[-1] if record.attempts else None
        return last is not None and (last.number, last.runner_id, last.outcome) == (
            self._attempt,
            self._runner_id,
            outcome,
        )


def _slim(record: JobRecord) -> JobRecord:
    """Return the record without anything that may have grown large; the count of its rows stays."""
    summary = ResultSummary(frame_count=record.summary.frame_count if record.summary else 0)
    bulky = {"warnings": (), "plugin_timings": {}, "stage_timings_ms": StageTimings(), "decode": None}
    dropped = record.warnings_dropped + len(record.warnings)
    return record.model_copy(update={**bulky, "summary": summary, "warnings_dropped": dropped})

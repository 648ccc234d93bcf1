"""Brings the rows of one attempt into the store, segment by segment, and says in the ledger how far it came.

A segment is made once and never changed. While the bus is away segments still go out: only the record waits. While
the store is away rows wait in the buffer and then in the sandbox; after a limit the attempt is given back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.segments import SegmentTaken, write_segment
from forgesyte_contracts.ids import JobId
from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason

from .attempt_state import AttemptState
from .rowbuffer import RowBuffer
from .store_retry import Patience, StoreLost

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Committer:
    """Writes the segments of one attempt; the only one that does.

    Attributes:
        notice: called after each segment, for the writer of the record.
        every_s: seconds between two segments at most.
    """

    store: Store
    job_id: JobId
    attempt: int
    buffer: RowBuffer
    ledger: AttemptState
    stop: Stop
    notice: Callable[[], None]
    patience: Patience
    every_s: float = 2.0

    async def run(self) -> None:
        """Write segments until the buffer is closed and empty, or nothing of this attempt counts any more."""
        try:
            while True:
                await self.buffer.wait_due(self.every_s)
                is_last = self.buffer.is_closed
                if rows := self.buffer.take():
                    await self._write(rows)
                elif is_last:
                    return
        except StoreLost as fault:
            log.error("store refuses rows", job_id=self.job_id, attempt=self.attempt, error=str(fault))
            self.stop.ask(StopReason.FAULT)
        except SegmentTaken as fault:
            # The bus went back to an older state and gave our number out again; the next number is nobody's.
            log.error("attempt number was used before", job_id=self.job_id, attempt=self.attempt, error=fault.detail)
            self.stop.ask(StopReason.RELEASED)
        except Stopped:
            log.debug("rows dropped", job_id=self.job_id, attempt=self.attempt)
        finally:
            self.buffer.close()

    async def _write(self, rows: list[tuple[int, bytes]]) -> None:
        begun_s = self.patience.monotonic()
        await self.patience.persist(lambda: self._put(rows))
        self.ledger.add_stage_ms("publish", 1000 * (self.patience.monotonic() - begun_s))
        self.ledger.commit(rows[-1][0] + 1)
        self.notice()

    async def _put(self, rows: list[tuple[int, bytes]]) -> None:
        if self.stop.reason in (StopReason.FENCED, StopReason.ENDED):
            raise Stopped(self.stop.reason)
        await write_segment(self.store, self.job_id, self.attempt, rows[0][0], [row for _, row in rows])

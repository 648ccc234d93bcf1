"""Writes the rows of one attempt into the store, segment by segment, and notes in the attempt's state how far it got.

A segment is made once and never changed. While the bus is unavailable segments are still written: only the record
waits. While the store is unavailable rows wait in the buffer and then in the sandbox; after a limit the attempt is
given back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_chassis.store.segments import SegmentTaken, write_segment
from forgesyte_contracts.ids import JobId
from forgesyte_plugin_runner.attempt.state.attempt_state import AttemptState
from forgesyte_plugin_runner.attempt.store_retry import PatientStore, StoreLost
from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason

from .rowbuffer import BufferedRow, RowBuffer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Committer:
    """The only writer of the segments of one attempt.

    Attributes:
        storage: where the segments go.
        job_id, attempt: which attempt it writes for.
        buffer: where the rows come from.
        state: learns up to which frame rows are committed.
        stop: stops the attempt when its rows cannot be written.
        on_commit: called after each segment.
        every_s: seconds between two segments at most.
    """

    storage: PatientStore
    job_id: JobId
    attempt: int
    buffer: RowBuffer
    state: AttemptState
    stop: Stop
    on_commit: Callable[[], None]
    every_s: float = 2.0

    async def run(self) -> None:
        """Write segments until the buffer is closed and empty, or the attempt is stopped."""
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
            # The bus went back to an older state and issued our number twice; the next number is unused.
            log.error("attempt number was used before", job_id=self.job_id, attempt=self.attempt, error=fault.detail)
            self.stop.ask(StopReason.RELEASED)
        except Stopped:
            log.debug("rows dropped", job_id=self.job_id, attempt=self.attempt)
        finally:
            self.buffer.close()

    async def _write(self, rows: list[BufferedRow]) -> None:
        clock = self.storage.clock
        begun_s = clock.monotonic_s()
        await self.storage.persist(lambda store: self._put(store, rows))
        self.state.add_stage_ms("publish", 1000 * (clock.monotonic_s() - begun_s))
        self.state.commit(rows[-1].frame_index + 1)
        self.on_commit()

    async def _put(self, store: Store, rows: list[BufferedRow]) -> None:
        if self.stop.reason in (StopReason.FENCED, StopReason.ENDED):
            raise Stopped(self.stop.reason)
        times = FrameTimes.of((row.frame_index, row.time_us) for row in rows)
        first_frame, data = rows[0].frame_index, [row.data for row in rows]
        await write_segment(store, self.job_id, self.attempt, first_frame, data, times)

"""Whether the bus stores what it is sent: a server whose disk was full answers questions, and stores nothing for good.

nats-server keeps a write error of a stream until it is restarted, and then leaves every write to that stream without an
answer. So each stream is probed: a bucket with the mark of a removed key, which its readers pass over, the queue with a
message that is removed at once. One write without an answer may be a leader that moves, so it is tried twice.
"""

import asyncio

import structlog

from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.streams import BUCKETS, WORK
from forgesyte_contracts.subjects import WORK_PROBE

from .connection.connection import REQUEST_LIMIT_S, Connection
from .errors import BusUnavailable
from .provision import key_subject
from .records.buckets import OPERATION_HEADER

EVERY_S = 2.0
AGAIN_LIMIT_S = 1.0
"""With REQUEST_LIMIT_S for the first try, a fault is known within five seconds."""

_FAULTY_EVERY_S = 0.5
_PROBE_KEY = "write-probe"

log = structlog.get_logger(__name__)


class WriteProbe:
    """Probes the streams of one connection, and notes there what it finds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Probe until cancelled: every EVERY_S seconds, and at once after a reconnect."""
        forget = self._connection.on_reconnect(self._due.set)
        try:
            while True:
                self._due.clear()
                if self._connection.is_connected:
                    await self.look()
                is_well = self._connection.write_fault is None
                await is_set_within(self._due, EVERY_S if is_well else _FAULTY_EVERY_S)
        finally:
            forget()

    async def look(self) -> None:
        """Probe now, and note the finding."""
        was = self._connection.write_fault
        fault = await self._try(REQUEST_LIMIT_S)
        if fault is not None and was is None:
            fault = await self._try(AGAIN_LIMIT_S)
        if not self._connection.is_connected:
            return
        if fault is not None and was is None:
            log.warning("bus stores nothing", stream=fault)
        elif fault is None and was is not None:
            log.info("bus stores again")
        self._connection.note_writes(None if fault is None else _sentence(fault))

    async def _try(self, limit_s: float) -> str | None:
        """Write to every stream; return the name of one that does not take it."""
        names = [*(bucket.name for bucket in BUCKETS), WORK.name]
        writes = [*(self._mark(bucket.name, limit_s) for bucket in BUCKETS), self._queue(limit_s)]
        taken = await asyncio.gather(*writes)
        return next((name for name, is_taken in zip(names, taken, strict=True) if not is_taken), None)

    async def _mark(self, bucket: str, limit_s: float) -> bool:
        subject = key_subject(bucket, _PROBE_KEY)
        try:
            await self._connection.ask(subject, headers={OPERATION_HEADER: "DEL"}, timeout_s=limit_s)
        except BusUnavailable:
            return False
        return True

    async def _queue(self, limit_s: float) -> bool:
        try:
            await self._connection.ask(WORK_PROBE, timeout_s=limit_s)
            await self._connection.api(f"STREAM.PURGE.{WORK.name}", {"filter": WORK_PROBE}, timeout_s=limit_s)
        except BusUnavailable:
            return False
        return True


def _sentence(stream: str) -> str:
    return (
        f"the message broker (NATS) answers, but stores nothing ({stream}). Free space on its disk; then `forgesyte "
        "up` restarts it, or its liveness probe does"
    )

"""Live messages for the current watchers of a job, on a separate connection.

They are worthless later, so they are dropped while the bus is unreachable and while the socket does not drain. What
must arrive is in the record. The separate connection keeps a flood of frames from delaying acknowledgements.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.msg import Msg

from forgesyte_contracts import subjects
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.streams import MAX_BUS_BYTES

from .connection.connection import Connection
from .errors import BusUnavailable

_UNSENT_LIMIT_BYTES = 2 * MAX_BUS_BYTES


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One live message: `body` is the finished envelope, `order` is `<attempt>.<n>`."""

    kind: str
    body: bytes
    order: str


LiveHandler = Callable[[JobId, LiveMessage], None]
"""Receives the job and the message; must return at once."""


class Live:
    """The live subjects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dropped = 0

    async def publish(self, job_id: JobId, kind: str, body: bytes, order: str) -> bool:
        """Send a message to the current watchers of a job.

        Args:
            job_id: the job.
            kind: the message's type, last part of the subject.
            body: the finished envelope, at most MAX_BUS_BYTES.
            order: `<attempt>.<n>`.

        Returns:
            False if it was dropped: the bus is unreachable, the socket is full, or the body is too large.
        """
        fits = len(body) <= MAX_BUS_BYTES and self._connection.unsent_bytes <= _UNSENT_LIMIT_BYTES
        if fits and self._connection.is_connected:
            try:
                await self._connection.publish(
                    subjects.live(job_id, kind), body, headers={subjects.ORDER_HEADER: order}
                )
            except BusUnavailable:
                fits = False
            else:
                return True
        self.dropped += 1
        return False

    @asynccontextmanager
    async def follow(self, handler: LiveHandler, job_id: JobId | None = None) -> AsyncIterator[None]:
        """Pass each live message to `handler` as it arrives, without a queue or a task in between.

        Args:
            handler: called in the order in which the messages arrive.
            job_id: the job; None follows all jobs, which is cheaper than a few hundred subscriptions.

        Raises:
            BusUnavailable: the server did not accept the subscription.
        """

        async def take(message: Msg) -> None:
            handler(*_read(message))

        subject = subjects.live_filter(JobId("*") if job_id is None else job_id)
        async with self._connection.subscribe(subject, take):
            yield


def _read(message: Msg) -> tuple[JobId, LiveMessage]:
    _, job_id, kind = message.subject.rsplit(".", 2)
    order = (message.headers or {}).get(subjects.ORDER_HEADER, "0.0")
    return JobId(job_id), LiveMessage(kind, message.data, order)

"""The queue of jobs that wait for a runner: at most one message per job exists at any time.

Every publish expects that its subject is empty, so the server refuses a second message while the first is queued or in
flight and accepts it once the first was acknowledged. No message id is used: its window would swallow a message that is
sent again after an acknowledgement. The late acknowledgement of a runner that lost the job would remove the new owner's
message, so nothing is sent while disconnected, and a fenced delivery never sends anything again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from nats.aio.msg import Msg

from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_chassis.bus.errors import ApiRefusal, BusUnavailable
from forgesyte_chassis.bus.provision import NS
from forgesyte_chassis.waiting import retry
from forgesyte_contracts import subjects
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.streams import WORK

from .consumer_pull import ConsumerPull
from .kept_deliveries import KeptDeliveries

PUBLISH_LIMIT_S = 5.0
PULL_WAIT_S = 0.1
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_HINTS_KEPT = 1024
_RETRY_WAIT_S = 0.1

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Delivery:
    """One message that this process has received from the queue: the right to claim the job, not yet the job.

    Acknowledge only after the record says the same. All methods raise BusUnavailable while the bus is unreachable; the
    message is then redelivered after ack_wait.
    """

    job_id: JobId
    plugin: str
    device: str
    _reply: str
    _connection: Connection
    _kept: KeptDeliveries
    _is_silent: bool = field(default=False, init=False)

    async def ack(self) -> None:
        """Remove the message from the queue, and wait for the confirmation."""
        if not self._is_silent:
            await self._connection.request(self._reply, b"+ACK")
            self._is_silent = True

    async def nak(self) -> None:
        """Return the message to the queue; it is redelivered at once."""
        if not self._is_silent:
            await self._connection.publish(self._reply, b"-NAK")
            self._is_silent = True

    def nak_later(self, delay_s: float) -> None:
        """Return the message to the queue after `delay_s` seconds; until then this process keeps it from others.

        Rejected: a delayed negative acknowledgement (kept_deliveries.py).
        """
        if not self._is_silent:
            self._kept.keep(self, delay_s)

    async def in_progress(self) -> None:
        """Keep the message for another ack_wait. Call this only if the record was read or written within that time."""
        if not self._is_silent:
            await self._connection.publish(self._reply, b"+WPI")

    def fence(self) -> None:
        """Send nothing more for this message, whatever is called: another runner owns the job."""
        self._is_silent = True


@dataclass(slots=True)
class UnpulledDelivery(Delivery):
    """A job that is taken by its record alone, wherever its message is; other runners that get it find an owner."""

    async def ack(self) -> None:
        """Remove the message from the queue, even if it is in flight."""
        if not self._is_silent:
            subject = subjects.work(self.plugin, self.device, self.job_id)
            await self._connection.api(f"STREAM.PURGE.{WORK.name}", {"filter": subject})
            self._is_silent = True

    async def nak(self) -> None:
        """Do nothing: the message was never taken from the queue."""

    def nak_later(self, delay_s: float) -> None:
        """Do nothing: the message was never taken from the queue."""

    async def in_progress(self) -> None:
        """Do nothing: the message is not held."""


class Hints:
    """Which consumer to pull next, as (plugin, device). Hints may be lost; the runner's sweep covers for that."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_HINTS_KEPT)

    async def take(self, message: Msg) -> None:
        """Take in a message of the work subjects; if the queue is full, the hint is dropped."""
        with suppress(ValueError, asyncio.QueueFull):
            plugin, device, _ = subjects.parse_work(message.subject)
            self._queue.put_nowait((plugin, device))

    async def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        while True:
            yield await self._queue.get()


class WorkQueue:
    """The stream `WORK`.

    Args:
        connection: carries the requests.
        stack: closes the inboxes when the connection closes.
        ack_wait_s: seconds without a sign of life after which a message is redelivered.
    """

    def __init__(self, connection: Connection, stack: AsyncExitStack, *, ack_wait_s: float = WORK.ack_wait_s) -> None:
        self._connection = connection
        self._stack = stack
        self.ack_wait_s = ack_wait_s
        self._pullers: dict[str, ConsumerPull] = {}
        self._made: dict[str, int] = {}
        self._kept = KeptDeliveries()

    async def run(self) -> None:
        """Return the messages that are to go back later, until cancelled; then return them all."""
        await self._kept.run()

    async def return_kept(self) -> None:
        """Return all messages that were to go back later: this process takes no more jobs."""
        await self._kept.return_all()

    async def publish(self, job_id: JobId, plugin: str, device: str, *, limit_s: float = PUBLISH_LIMIT_S) -> bool:
        """Queue a job.

        Returns:
            True if this call queued it, False if it was already queued or in flight.

        Raises:
            BusUnavailable: not confirmed within `limit_s` seconds; it may be queued.
        """
        subject, may_be_ours = subjects.work(plugin, device, job_id), False
        loop = asyncio.get_running_loop()
        end_s = loop.time() + limit_s

        async def send() -> bool:
            nonlocal may_be_ours
            if may_be_ours:
                await self._connection.wait_connected(end_s - loop.time())
            try:
                if self._made.get(subjects.work_consumer(plugin, device)) != self._connection.reconnects:
                    await self.ensure_consumer(plugin, device)
                await self._connection.ask(subject, headers={_EXPECTED: "0"})
            except ApiRefusal as refusal:
                if not refusal.is_lost_race:
                    raise
                return may_be_ours
            except BusUnavailable:
                may_be_ours = True
                raise
            return True

        def gives_up(fault: Exception) -> bool:
            return isinstance(fault, ApiRefusal) or loop.time() + _RETRY_WAIT_S >= end_s

        return await retry(send, on=BusUnavailable, every_s=_RETRY_WAIT_S, gives_up=gives_up)

    async def has(self, job_id: JobId, plugin: str, device: str) -> bool:
        """Return whether a message for the job is queued or in flight. Raises BusUnavailable."""
        try:
            await self._connection.api(
                f"STREAM.MSG.GET.{WORK.name}", {"last_by_subj": subjects.work(plugin, device, job_id)}
            )
        except ApiRefusal as refusal:
            if refusal.is_message_missing:
                return False
            raise
        return True

    async def purge(self, job_id: JobId, plugin: str, device: str) -> None:
        """Remove the job's message, even if it is in flight. Raises BusUnavailable."""
        await self._connection.api(f"STREAM.PURGE.{WORK.name}", {"filter": subjects.work(plugin, device, job_id)})

    def unpulled(self, job_id: JobId, plugin: str, device: str) -> Delivery:
        """Return what stands for the job's message, for a runner that finds its jobs by their records."""
        return UnpulledDelivery(job_id, plugin, device, "", self._connection, self._kept)

    async def ensure_consumer(self, plugin: str, device: str) -> None:
        """Create the consumer that the runners of one plugin on one device share. Raises BusUnavailable."""
        name = subjects.work_consumer(plugin, device)
        config = {
            "durable_name": name,
            "filter_subject": subjects.work_filter(plugin, device),
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(self.ack_wait_s * NS),
            "max_deliver": WORK.max_deliver,
            "max_ack_pending": WORK.max_ack_pending,
        }
        reconnects = self._connection.reconnects
        await self._connection.api(
            f"CONSUMER.DURABLE.CREATE.{WORK.name}.{name}", {"stream_name": WORK.name, "config": config}
        )
        self._made[name] = reconnects

    async def pull(self, plugin: str, device: str, *, wait_s: float = PULL_WAIT_S) -> Delivery | None:
        """Pull one message, if there is one. Reserve a slot first; a cancellation loses nothing.

        Args:
            plugin: whose jobs.
            device: for which device.
            wait_s: how long the server may wait for a message, in seconds. A hint arrives before its message, so
                wait a little then; 0 asks for what is there now.

        Raises:
            BusUnavailable: the bus is unreachable.
        """
        name = subjects.work_consumer(plugin, device)
        if (puller := self._pullers.get(name)) is None:
            subject = f"$JS.API.CONSUMER.MSG.NEXT.{WORK.name}.{name}"
            puller = self._pullers[name] = ConsumerPull(self._connection, subject, self._stack)
        message = await puller.pull(wait_s, lambda: self._remake(plugin, device))
        if message is None:
            return None
        _, _, job_id = subjects.parse_work(message.subject)
        return Delivery(job_id, plugin, device, message.reply, self._connection, self._kept)

    async def _remake(self, plugin: str, device: str) -> None:
        try:
            await self.ensure_consumer(plugin, device)
        except BusUnavailable as error:
            log.debug("consumer could not be created yet", plugin=plugin, device=device, error=str(error))

    @asynccontextmanager
    async def hints(self) -> AsyncIterator[Hints]:
        """Listen to what is being queued; iterate over the hints. Raises BusUnavailable."""
        hints = Hints()
        async with self._connection.subscribe(subjects.ALL_WORK, hints.take):
            yield hints

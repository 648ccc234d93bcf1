"""The queue of jobs that wait for a runner: at most one message a job exists at any time.

Every publish expects that its subject is empty, so a second send is refused by the server while the first is queued
or in flight and accepted after it was acknowledged. No message id is used: its window would swallow a re-send
after an acknowledgement. A zombie's late acknowledgement would remove the new owner's message, so nothing is sent
while disconnected, and a fenced delivery is silent for ever.
"""

import asyncio
import json
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

PUBLISH_LIMIT_S = 5.0
PULL_WAIT_S = 0.1
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_HINTS_KEPT = 1024
_RETRY_WAIT_S = 0.1

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Delivery:
    """One message of the queue in the hands of this process: the right to claim, not yet the job.

    Acknowledge only after the record says the same. All methods raise BusUnavailable while the bus is away; the
    message then comes again after ack_wait.
    """

    job_id: JobId
    plugin: str
    device: str
    _reply: str
    _connection: Connection
    _is_silent: bool = field(default=False, init=False)

    async def ack(self) -> None:
        """Take the message out of the queue, and know that it is."""
        if not self._is_silent:
            await self._connection.request(self._reply, b"+ACK")
            self._is_silent = True

    async def nak(self, delay_s: float = 0.0) -> None:
        """Give the message back; it is handed out again after `delay_s` seconds."""
        if not self._is_silent:
            delay = json.dumps({"delay": int(delay_s * NS)}).encode() if delay_s > 0 else b""
            await self._connection.publish(self._reply, b"-NAK " + delay if delay else b"-NAK")
            self._is_silent = True

    async def in_progress(self) -> None:
        """Keep the message for another ack_wait. To be sent only while the record was read or written within it."""
        if not self._is_silent:
            await self._connection.publish(self._reply, b"+WPI")

    def fence(self) -> None:
        """Say nothing more for this message, whatever is called: somebody else owns the job."""
        self._is_silent = True


class Hints:
    """Which consumer to pull next, as (plugin, device). Hints may be lost; the runner's sweep finds what they miss."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_HINTS_KEPT)

    async def take(self, message: Msg) -> None:
        """Get a message of the work subjects; when the queue is full the hint is dropped."""
        with suppress(ValueError, asyncio.QueueFull):
            plugin, device, _ = subjects.parse_work(message.subject)
            self._queue.put_nowait((plugin, device))

    async def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        while True:
            yield await self._queue.get()


class WorkQueue:
    """The stream `WORK`.

    Args:
        connection: where.
        stack: closes the inboxes at the end of the connection.
        ack_wait_s: after how many seconds of silence a message is handed out again.
    """

    def __init__(self, connection: Connection, stack: AsyncExitStack, *, ack_wait_s: float = WORK.ack_wait_s) -> None:
        self._connection = connection
        self._stack = stack
        self.ack_wait_s = ack_wait_s
        self._pullers: dict[str, ConsumerPull] = {}
        self._made: dict[str, int] = {}

    async def publish(self, job_id: JobId, plugin: str, device: str, *, limit_s: float = PUBLISH_LIMIT_S) -> bool:
        """Queue a job.

        Returns:
            True when it was queued by this call, False when it was queued or in flight already.

        Raises:
            BusUnavailable: not within `limit_s` seconds; it may be queued.
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
        """Tell whether a message for the job is queued or in flight. Raises BusUnavailable."""
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
        """Take the job's message out, also when it is in flight. Raises BusUnavailable."""
        await self._connection.api(f"STREAM.PURGE.{WORK.name}", {"filter": subjects.work(plugin, device, job_id)})

    async def ensure_consumer(self, plugin: str, device: str) -> None:
        """Make the consumer that the runners of one plugin on one device share. Raises BusUnavailable."""
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
        """Take one message, if there is one. Reserve a slot first; being cancelled loses nothing.

        Args:
            plugin: whose jobs.
            device: for which device.
            wait_s: how long the server may wait for a message, in seconds. A hint runs ahead of its message, so
                a little is right; 0 asks for what is there now.

        Raises:
            BusUnavailable: the bus is away.
        """
        name = subjects.work_consumer(plugin, device)
        if (puller := self._pullers.get(name)) is None:
            subject = f"$JS.API.CONSUMER.MSG.NEXT.{WORK.name}.{name}"
            puller = self._pullers[name] = ConsumerPull(self._connection, subject, self._stack)
        message = await puller.pull(wait_s, lambda: self._remake(plugin, device))
        if message is None:
            return None
        _, _, job_id = subjects.parse_work(message.subject)
        return Delivery(job_id, plugin, device, message.reply, self._connection)

    async def _remake(self, plugin: str, device: str) -> None:
        try:
            await self.ensure_consumer(plugin, device)
        except BusUnavailable as error:
            log.debug("consumer not there yet", plugin=plugin, device=device, error=str(error))

    @asynccontextmanager
    async def hints(self) -> AsyncIterator[Hints]:
        """Listen to what is being queued; iterate over what comes. Raises BusUnavailable."""
        hints = Hints()
        async with self._connection.subscribe(subjects.ALL_WORK, hints.take):
            yield hints

"""The messages that wait for one client, and how they are sent.

While the client's socket takes them, messages are sent at once, in the caller's own turn. Only a client that falls
behind gets a task and a backlog: one slot per job and type for messages that a newer one replaces, and a bounded queue
for those that must arrive, which go first. A task and a queue per client were rejected: they halve the throughput.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.realtime import MessageType
from forgesyte_realtime_gateway.messages.message import Event, Message, Slot
from forgesyte_realtime_gateway.metric_labels import DropReason
from forgesyte_realtime_gateway.metrics import GatewayMetrics

Send = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much may wait: messages that must arrive, bytes in all, and the seconds that one send may take."""

    messages: int
    size_bytes: int
    stuck_s: float


class Outbox:
    """The way out to one client.

    Args:
        send: the connection's ASGI send.
        render: picks the message's event for this kind of connection.
        limits: how much may wait.
        clock: times each send.
        metrics: counts the messages that were replaced or dropped.
        on_overflow: called when a message that must arrive no longer fits.
        on_lost: called when the connection turns out to be gone.
    """

    def __init__(
        self,
        send: Send,
        render: Callable[[Message], Event],
        *,
        limits: OutboxLimits,
        clock: Clock,
        metrics: GatewayMetrics,
        on_overflow: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._send = send
        self._render = render
        self._limits = limits
        self._monotonic_s = clock.monotonic_s
        self._metrics = metrics
        self._on_overflow = on_overflow
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Message] = deque()
        self._slots: dict[Slot, Message] = {}
        self._waiting_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._is_busy = False
        self._is_closed = False
        self._since_s = 0.0

    @property
    def waiting(self) -> int:
        """The number of messages that wait behind the one being sent."""
        return len(self._queue) + len(self._slots)

    @property
    def is_free(self) -> bool:
        """Whether nothing is being sent."""
        return not self._is_busy

    def put(self, message: Message) -> None:
        """Send a message now, or keep it until the client has read the ones before it."""
        if self._is_closed:
            return
        if self._is_busy:
            self._keep(message)
            return
        self._is_busy = True
        self._since_s = self._monotonic_s()
        # The one exception to "every task lives in a TaskGroup": most of these tasks end before this line does, and
        # close() ends the others.
        task = asyncio.Task(self._drain(message), loop=self._loop, eager_start=True)
        if not task.done():
            self._task = task

    def is_stuck(self, now_s: float) -> bool:
        """Whether the message being sent has waited too long for the client to read it."""
        return self._task is not None and now_s - self._since_s > self._limits.stuck_s

    def close(self) -> None:
        """Drop the waiting messages and send nothing more."""
        self._is_closed = True
        self._queue.clear()
        self._slots.clear()
        self._waiting_bytes = 0
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _drain(self, message: Message | None) -> None:
        is_late = False
        try:
            while message is not None:
                await self._send(self._render(message))
                if is_late:
                    self._metrics.lag.observe(max(self._monotonic_s() - message.made_s, 0.0))
                is_late = True
                message = self._next()
        except (OSError, RuntimeError):
            # The two errors with which servers report that the connection is gone or was closed meanwhile.
            self._on_lost()
        finally:
            self._is_busy = False
            self._task = None

    def _next(self) -> Message | None:
        if self._queue:
            message = self._queue.popleft()
        elif self._slots:
            message = self._slots.pop(next(iter(self._slots)))
        else:
            return None
        self._waiting_bytes -= message.size_bytes
        self._since_s = self._monotonic_s()
        return message

    def _keep(self, message: Message) -> None:
        if message.ends_job:
            self._end_slots(message)
        if not message.must_arrive:
            self._keep_newest(message)
            return
        if message.slot in self._slots:
            self._take_slot(message.slot)  # it is older than this message
            self._metrics.coalesced.inc()
        self._queue.append(message)
        self._waiting_bytes += message.size_bytes
        if self._waiting_bytes > self._limits.size_bytes:
            self._drop_slots(tuple(self._slots), DropReason.FULL)
        if len(self._queue) > self._limits.messages or self._waiting_bytes > self._limits.size_bytes:
            self._on_overflow()

    def _keep_newest(self, message: Message) -> None:
        old = self._slots.get(message.slot)
        more = message.size_bytes - (old.size_bytes if old is not None else 0)
        if self._waiting_bytes + more > self._limits.size_bytes:
            self._metrics.dropped.labels(message.type, DropReason.FULL).inc()
            return
        if old is not None:
            self._metrics.coalesced.inc()
        self._slots[message.slot] = message  # it takes the place of the old one in the order
        self._waiting_bytes += more

    def _end_slots(self, ending: Message) -> None:
        """Drop what waits of an ended job; with `flushes` its last progress is queued before the ending instead."""
        progress = Slot(ending.job_id, MessageType.PROGRESS)
        if ending.flushes and progress in self._slots:
            last = self._take_slot(progress)
            self._queue.append(last)
            self._waiting_bytes += last.size_bytes
        self._drop_slots(tuple(slot for slot in self._slots if slot.job_id == ending.job_id), DropReason.ENDED)

    def _drop_slots(self, slots: tuple[Slot, ...], reason: DropReason) -> None:
        for slot in slots:
            self._take_slot(slot)
            self._metrics.dropped.labels(slot.type, reason).inc()

    def _take_slot(self, slot: Slot) -> Message:
        message = self._slots.pop(slot)
        self._waiting_bytes -= message.size_bytes
        return message

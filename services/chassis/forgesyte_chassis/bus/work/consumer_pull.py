"""Takes one message at a time from a durable consumer, and never loses one to a cancelled wait.

A fetch that is cancelled half-way leaves its message with nobody until ack_wait has passed. Here the answers of the
server arrive in a callback of the subscription, and each answer belongs to the oldest open question; when nobody
waits for it any more, the message is handed back at once. So callers may be cancelled freely.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from nats.aio.msg import Msg

from forgesyte_chassis.bus.connection.connection import REQUEST_LIMIT_S, Connection
from forgesyte_chassis.bus.errors import BusUnavailable

_STATUS_HEADER = "Status"
_NO_CONSUMER = "503"
_NS = 1_000_000_000

Reply = Msg | str
"""A message, or the status code that says why there is none."""


class ConsumerPull:
    """The questions one process asks one consumer.

    Args:
        connection: where.
        subject: where the consumer takes questions.
        stack: ends the subscription of the answers at the end of the connection.
    """

    def __init__(self, connection: Connection, subject: str, stack: AsyncExitStack) -> None:
        self._connection = connection
        self._subject = subject
        self._stack = stack
        self._inbox = ""
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        # One question at a time: with more, a server that has one message would hand out several for one slot.
        self._turn = asyncio.Lock()

    async def _open(self) -> None:
        inbox = self._connection.new_inbox()
        await self._stack.enter_async_context(self._connection.subscribe(inbox, self._take))
        self._inbox = inbox

    async def _take(self, message: Msg) -> None:
        status = (message.headers or {}).get(_STATUS_HEADER) if not message.data else None
        waiter = self._waiting.popleft() if self._waiting else None
        if waiter is not None and not waiter.done():
            waiter.set_result(status or message)
        elif status is None and self._connection.is_connected:
            await self._connection.publish(message.reply, b"-NAK")

    async def pull(self, wait_s: float, when_missing: Callable[[], Awaitable[None]]) -> Msg | None:
        """Ask for one message.

        Args:
            wait_s: how long the server may wait for one to come, in seconds.
            when_missing: called when the consumer is not there; it should make it.

        Returns:
            The message, or None when there is none.

        Raises:
            BusUnavailable: the bus is away.
        """
        async with self._turn:
            if not self._inbox:
                await self._open()
            waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            question = {"batch": 1, "expires": int(wait_s * _NS)} if wait_s > 0 else {"batch": 1, "no_wait": True}
            self._waiting.append(waiter)
            try:
                await self._connection.publish(self._subject, json.dumps(question).encode(), reply=self._inbox)
            except BusUnavailable:
                self._waiting.remove(waiter)
                raise
            reply = await self._answer(waiter, wait_s + REQUEST_LIMIT_S)
        if reply == _NO_CONSUMER:
            await when_missing()
        return reply if isinstance(reply, Msg) else None

    async def _answer(self, waiter: asyncio.Future[Reply], limit_s: float) -> Reply | None:
        try:
            async with asyncio.timeout(limit_s):
                # Shielded so that a cancelled caller leaves its place in the queue: its answer must not go to another.
                return await asyncio.shield(waiter)
        except TimeoutError:
            # The answer got lost with a connection; keeping the place would shift all later answers.
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            return None
        except asyncio.CancelledError:
            waiter.cancel()
            raise

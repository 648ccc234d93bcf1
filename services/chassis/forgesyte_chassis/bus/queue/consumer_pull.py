"""Pulls one message at a time from a durable consumer, and never loses one to a cancelled wait.

A fetch that is cancelled half-way leaves its message undelivered until ack_wait has passed. Here the server's answers
arrive in a callback of the subscription, and each answer belongs to the oldest open request; if its caller no longer
waits, the message is returned to the queue at once. So callers may be cancelled freely.
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
"""A message, or the status code that tells why there is none."""


class ConsumerPull:
    """The pull requests of one process to one consumer.

    Args:
        connection: carries the requests.
        subject: the subject on which the consumer takes requests.
        stack: ends the subscription for the answers when the connection closes.
    """

    def __init__(self, connection: Connection, subject: str, stack: AsyncExitStack) -> None:
        self._connection = connection
        self._subject = subject
        self._stack = stack
        self._inbox = ""
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        # One request at a time: with more, the server could deliver several messages for one free slot.
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
        """Request one message.

        Args:
            wait_s: how long the server may wait for a message to arrive, in seconds.
            when_missing: called if the consumer does not exist; it should create it.

        Returns:
            The message, or None if there is none.

        Raises:
            BusUnavailable: the bus is unreachable.
        """
        async with self._turn:
            if not self._inbox:
                await self._open()
            waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            request = {"batch": 1, "expires": int(wait_s * _NS)} if wait_s > 0 else {"batch": 1, "no_wait": True}
            self._waiting.append(waiter)
            try:
                await self._connection.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)
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
                # Shielded so that a cancelled caller keeps its place in the queue: its answer must not reach another.
                return await asyncio.shield(waiter)
        except TimeoutError:
            # The answer was lost with a connection; keeping the place would shift all later answers.
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            return None
        except asyncio.CancelledError:
            waiter.cancel()
            raise

"""Words to the owner of a running job: cancel (asked for, with an answer) and watch (said, without); and to every
runner that has a plugin: reload (said, without).

They make things fast, never true: what counts stands in the record, and an owner that heard nothing reads it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.msg import Msg

from forgesyte_contracts import subjects
from forgesyte_contracts.ids import JobId, PluginName

from .connection.connection import Connection
from .errors import BusUnavailable

CANCEL = "cancel"
WATCH = "watch"
RELOAD = "reload"
CANCEL_TRIES = 3
CANCEL_TIMEOUT_S = 0.3

JobHandler = Callable[[JobId, str], Awaitable[bool | None]]
"""Gets the job and the verb. False means "not my job": then no answer is sent, so that the owner's own can arrive."""

PluginHandler = Callable[[PluginName, str], Awaitable[None]]
"""Gets the plugin and the verb."""


class Control:
    """The control subjects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def request_cancel(
        self, job_id: JobId, *, tries: int = CANCEL_TRIES, timeout_s: float = CANCEL_TIMEOUT_S
    ) -> bool:
        """Ask the owner to stop the job; call it after the record says cancelled.

        Returns:
            True when the owner answered that it is done, False when nobody did in `tries` times `timeout_s` seconds.
        """
        loop = asyncio.get_running_loop()
        for _ in range(tries):
            end = loop.time() + timeout_s
            try:
                await self._connection.request(subjects.job_control(job_id), CANCEL.encode(), timeout_s=timeout_s)
            except BusUnavailable:
                # "Nobody listens" comes at once, but the owner may be just reconnecting.
                await asyncio.sleep(max(end - loop.time(), 0))
            else:
                return True
        return False

    async def watch(self, job_id: JobId) -> None:
        """Tell the owner that somebody is watching, for the next seconds. Raises BusUnavailable."""
        await self._connection.publish(subjects.job_control(job_id), WATCH.encode())

    @asynccontextmanager
    async def on_job(self, handler: JobHandler) -> AsyncIterator[None]:
        """Hand every word about any job to `handler`; the answer is sent after it returned.

        The handler must be quick: words are handed over one after the other.

        Raises:
            BusUnavailable: the server did not take the subscription.
        """

        async def take(message: Msg) -> None:
            job_id = JobId(message.subject.rpartition(".")[2])
            is_ours = await handler(job_id, message.data.decode(errors="replace"))
            if message.reply and is_ours is not False and self._connection.is_connected:
                await self._connection.publish(message.reply, b"done")

        async with self._connection.subscribe(subjects.ALL_JOB_CONTROL, take):
            yield

    async def reload(self, name: PluginName) -> None:
        """Tell every runner to read and validate the plugin anew; their heartbeats show what came of it.

        Raises:
            BusUnavailable: not connected; nobody was told.
        """
        await self._connection.publish(subjects.plugin_control(name), RELOAD.encode())

    @asynccontextmanager
    async def on_plugin(self, handler: PluginHandler) -> AsyncIterator[None]:
        """Hand every word about any plugin to `handler`, one after the other: it must be quick.

        Raises:
            BusUnavailable: the server did not take the subscription.
        """

        async def take(message: Msg) -> None:
            name = PluginName(message.subject.rpartition(".")[2])
            await handler(name, message.data.decode(errors="replace"))

        async with self._connection.subscribe(subjects.ALL_PLUGIN_CONTROL, take):
            yield

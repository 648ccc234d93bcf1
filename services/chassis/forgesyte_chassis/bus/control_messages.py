"""Control messages to the owner of a running job: cancel (a request with an answer) and watch (without one); and to
every runner that has a plugin: reload (without an answer).

They only speed things up: the record is what counts, and an owner that missed a message reads the record.
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
"""Receives the job and the verb. False means "not my job": no answer is sent, so that the owner's answer can arrive."""

PluginHandler = Callable[[PluginName, str], Awaitable[None]]
"""Receives the plugin and the verb."""


class ControlMessages:
    """The control subjects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def request_cancel(
        self, job_id: JobId, *, tries: int = CANCEL_TRIES, timeout_s: float = CANCEL_TIMEOUT_S
    ) -> bool:
        """Ask the owner to cancel the job.

        Returns:
            True if the owner says that it does so now, False if no answer came within `tries` times `timeout_s`
            seconds.
        """
        loop = asyncio.get_running_loop()
        for _ in range(tries):
            end = loop.time() + timeout_s
            try:
                await self._connection.request(subjects.job_control(job_id), CANCEL.encode(), timeout_s=timeout_s)
            except BusUnavailable:
                # "No receiver" is answered immediately, but the owner may be reconnecting right now.
                await asyncio.sleep(max(end - loop.time(), 0))
            else:
                return True
        return False

    async def watch(self, job_id: JobId) -> None:
        """Tell the owner that the job is being watched, for the next seconds. Raises BusUnavailable."""
        await self._connection.publish(subjects.job_control(job_id), WATCH.encode())

    @asynccontextmanager
    async def on_job(self, handler: JobHandler) -> AsyncIterator[None]:
        """Pass each control message for any job to `handler`; the answer is sent after it has returned.

        The handler must be quick: messages are passed on one after the other.

        Raises:
            BusUnavailable: the server did not accept the subscription.
        """

        async def take(message: Msg) -> None:
            job_id = JobId(message.subject.rpartition(".")[2])
            is_ours = await handler(job_id, message.data.decode(errors="replace"))
            if message.reply and is_ours is not False and self._connection.is_connected:
                await self._connection.publish(message.reply, b"done")

        async with self._connection.subscribe(subjects.ALL_JOB_CONTROL, take):
            yield

    async def reload(self, name: PluginName) -> None:
        """Tell every runner to reload and validate the plugin; their heartbeats show the result.

        Raises:
            BusUnavailable: not connected; no runner was told.
        """
        await self._connection.publish(subjects.plugin_control(name), RELOAD.encode())

    @asynccontextmanager
    async def on_plugin(self, handler: PluginHandler) -> AsyncIterator[None]:
        """Pass each control message for any plugin to `handler`, one after the other: it must be quick.

        Raises:
            BusUnavailable: the server did not accept the subscription.
        """

        async def take(message: Msg) -> None:
            name = PluginName(message.subject.rpartition(".")[2])
            await handler(name, message.data.decode(errors="replace"))

        async with self._connection.subscribe(subjects.ALL_PLUGIN_CONTROL, take):
            yield

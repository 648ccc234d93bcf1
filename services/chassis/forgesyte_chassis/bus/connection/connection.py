"""One connection to the bus: opening it, watching it, requests over it.

JetStream is used through plain requests with its own JSON instead of nats-py's layer. That layer buffers writes while
the server is unreachable, loses pull subscriptions over a restart (nats.py #504), misses heartbeats of its ordered
consumers (#510) and never releases reconnect callbacks (#962); the requests themselves are a dozen lines. This module
refuses to publish while disconnected and to wait without a limit.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats.errors
import structlog
from nats.aio.msg import Msg

from forgesyte_chassis.bus.errors import ApiRefusal, BusUnavailable, translated
from forgesyte_chassis.clock import SYSTEM_CLOCK, Clock

from .client import SteadyClient

CONNECT_LIMIT_S = 10.0
REQUEST_LIMIT_S = 2.0
_NO_RESPONDERS = 503
_TURN_S = 0.01

log = structlog.get_logger(__name__)

Handler = Callable[[Msg], Awaitable[None]]


class Connection:
    """One connection, up or reconnecting. Created by `open`.

    Attributes:
        reconnects: how often it was restored.
        write_fault: why the server stores nothing, in a sentence; None while it does, or while it is not probed.
    """

    def __init__(self, client: SteadyClient, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._up = asyncio.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._since_s = 0.0
        self.reconnects = 0
        self.write_fault: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        name: str,
        token: str | None = None,
        limit_s: float = CONNECT_LIMIT_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> AsyncIterator["Connection"]:
        """Connect, and close at the end.

        Args:
            url: `nats://host:port`, or several with commas between.
            name: the client's name on the server.
            token: shared secret, if the server requires one.
            limit_s: how long to wait for the port and the login, in seconds.
            clock: ages the connection.

        Raises:
            BusUnavailable: no server listens there within the limit, or it refuses the login.
        """
        connection = cls(SteadyClient(), name, clock)
        try:
            await connection._connect(url, token, limit_s)
            yield connection
        finally:
            await connection._close()

    async def _connect(self, url: str, token: str | None, limit_s: float) -> None:
        await self._client.open(
            url,
            name=self._name,
            token=token,
            limit_s=limit_s,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnected,
        )
        self._came_up()

    async def _close(self) -> None:
        self._up.clear()
        if not self._client.was_opened:
            return
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                await self._client.close()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.debug("bus connection closed with an error", connection=self._name, error=str(error))
        except asyncio.CancelledError:
            # When nats-py is closed during a reconnect, it cancels the very future that it then waits for.
            task = asyncio.current_task()
            if task and task.cancelling():
                raise

    def _came_up(self) -> None:
        self._since_s = self._clock.monotonic_s()
        self._up.set()

    async def _on_error(self, error: Exception) -> None:
        log.debug("bus error", connection=self._name, error=str(error) or type(error).__name__)

    async def _on_disconnect(self) -> None:
        self._client.forget_unsent()
        if self._up.is_set():
            self._up.clear()
            log.warning("bus connection lost", connection=self._name)

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
        self._came_up()
        log.info("bus connection restored", connection=self._name, reconnects=self.reconnects)
        for callback in tuple(self._callbacks):
            callback()

    @property
    def is_connected(self) -> bool:
        """Whether the connection is believed to be up; a silent server is detected after at most 6 s."""
        return self._up.is_set() and self._client.is_connected

    @property
    def usable_for_s(self) -> float:
        """Seconds of unbroken connection to a server that stores what it is sent; 0 while there is none."""
        is_usable = self.is_connected and self.write_fault is None
        return self._clock.monotonic_s() - self._since_s if is_usable else 0.0

    def note_writes(self, fault: str | None) -> None:
        """Note why the server stores nothing, or that it does."""
        if fault is None and self.write_fault is not None:
            self._since_s = self._clock.monotonic_s()
        self.write_fault = fault

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait to be written to the socket."""
        return self._client.pending_data_size

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each reconnect; it must return at once.

        Returns:
            A function that unregisters the callback.
        """
        self._callbacks.append(callback)

        def remove() -> None:
            with suppress(ValueError):
                self._callbacks.remove(callback)

        return remove

    async def wait_connected(self, limit_s: float) -> None:
        """Wait until the connection is up.

        Raises:
            BusUnavailable: it was not up within `limit_s` seconds.
        """
        with translated("reconnecting"):
            async with asyncio.timeout(limit_s):
                while not self.is_connected:
                    # The client knows about a loss a few loop iterations before it calls us.
                    await (asyncio.sleep(_TURN_S) if self._up.is_set() else self._up.wait())

    def _require(self) -> None:
        if not self.is_connected:
            raise BusUnavailable("The message broker (NATS) is unavailable. Try again shortly.")

    async def publish(
        self, subject: str, data: bytes = b"", *, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Send one core message, without knowing whether it is received.

        Raises:
            BusUnavailable: not connected; the message is not sent later either.
        """
        self._require()
        with translated(f"publishing to {subject}"):
            await self._client.publish(subject, data, reply=reply, headers=headers)

    async def request(
        self,
        subject: str,
        data: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = REQUEST_LIMIT_S,
    ) -> bytes:
        """Send a request and wait for its one answer.

        Raises:
            BusUnavailable: not connected, no receiver, or no answer within `timeout_s` seconds.
        """
        self._require()
        with translated(f"requesting {subject}"):
            return (await self._client.request(subject, data, timeout=timeout_s, headers=headers)).data

    async def ask(
        self,
        subject: str,
        data: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = REQUEST_LIMIT_S,
    ) -> dict[str, Any]:
        """Send a request that JetStream answers in JSON: a write to a stream or an API call.

        Raises:
            ApiRefusal: the server refused the request.
            BusUnavailable: as for `request`, or the stream has no leader at the moment.
        """
        answer: dict[str, Any] = json.loads(await self.request(subject, data, headers=headers, timeout_s=timeout_s))
        if "error" not in answer:
            return answer
        error = answer["error"]
        if error.get("code") == _NO_RESPONDERS:
            raise BusUnavailable(
                f"The message broker (NATS) is not ready: {error.get('description')}. Try again shortly."
            )
        raise ApiRefusal(error.get("code", 0), error.get("err_code", 0), error.get("description", ""))

    async def api(
        self, call: str, body: dict[str, Any] | None = None, *, timeout_s: float = REQUEST_LIMIT_S
    ) -> dict[str, Any]:
        """Call the JetStream API; `call` is the subject after `$JS.API.`. Raises as `ask` does."""
        return await self.ask(f"$JS.API.{call}", json.dumps(body).encode() if body else b"", timeout_s=timeout_s)

    def new_inbox(self) -> str:
        """Return a subject that only this connection uses."""
        return self._client.new_inbox()

    @asynccontextmanager
    async def subscribe(self, subject: str, handler: Handler) -> AsyncIterator[None]:
        """Pass each message on `subject` to `handler`, one after the other; reconnects replay the subscription.

        Raises:
            BusUnavailable: the server did not accept the subscription.
        """
        with translated(f"subscribing to {subject}"):
            subscription = await self._client.subscribe(subject, cb=handler)
        try:
            # Without this round trip, a message that another client sends right now could still be missed.
            if self.is_connected:
                with translated(f"subscribing to {subject}"):
                    await self._client.flush(timeout=int(REQUEST_LIMIT_S))
            yield
        finally:
            with suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

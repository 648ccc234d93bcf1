"""One connection to the bus: how it is opened, watched and spoken to.

JetStream is spoken here in its own JSON over plain requests instead of through nats-py's layer. That layer buffers
writes while the server is away, loses pull subscriptions over a restart (nats.py #504), misses heartbeats of its
ordered consumers (#510) and keeps reconnect callbacks for ever (#962); the requests themselves are a dozen
lines. What is refused: publishing while disconnected, waiting without a limit.
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
    """One connection, alive or trying to be. Made by `open`."""

    def __init__(self, client: SteadyClient, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._up = asyncio.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._since_s = 0.0
        self.reconnects = 0

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
            name: what the server calls this client.
            token: shared secret, if the server wants one.
            limit_s: how long to wait for the port and the login, in seconds.
            clock: ages the connection.

        Raises:
            BusUnavailable: nothing listens there within the limit, or it does not let us in.
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
            log.debug("bus closed badly", connection=self._name, error=str(error))
        except asyncio.CancelledError:
            # Closing in the middle of a reconnect, nats-py cancels the future that it then waits for itself.
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
            log.warning("bus lost", connection=self._name)

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
        self._came_up()
        log.info("bus back", connection=self._name, reconnects=self.reconnects)
        for callback in tuple(self._callbacks):
            callback()

    @property
    def is_connected(self) -> bool:
        """Whether the server is believed to be there; a silent one is found out after at most 6 s."""
        return self._up.is_set() and self._client.is_connected

    @property
    def connected_for_s(self) -> float:
        """Seconds of unbroken connection; 0 while away."""
        return self._clock.monotonic_s() - self._since_s if self.is_connected else 0.0

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait for the socket."""
        return self._client.pending_data_size

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each reconnect; it must return at once.

        Returns:
            A function that takes the callback off again.
        """
        self._callbacks.append(callback)

        def remove() -> None:
            with suppress(ValueError):
                self._callbacks.remove(callback)

        return remove

    async def wait_connected(self, limit_s: float) -> None:
        """Wait until the bus is there.

        Raises:
            BusUnavailable: it was not within `limit_s` seconds.
        """
        with translated("waiting for it to come back"):
            async with asyncio.timeout(limit_s):
                while not self.is_connected:
                    # The client knows of a loss a few turns of the loop before it tells us.
                    await (asyncio.sleep(_TURN_S) if self._up.is_set() else self._up.wait())

    def _require(self) -> None:
        if not self.is_connected:
            raise BusUnavailable("The bus is away. Try again in a moment.")

    async def publish(
        self, subject: str, data: bytes = b"", *, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Send one core message, without knowing whether anybody gets it.

        Raises:
            BusUnavailable: not connected; nothing will be sent later.
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
            BusUnavailable: not connected, nobody listens, or no answer within `timeout_s` seconds.
        """
        self._require()
        with translated(f"asking {subject}"):
            return (await self._client.request(subject, data, timeout=timeout_s, headers=headers)).data

    async def ask(
        self,
        subject: str,
        data: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = REQUEST_LIMIT_S,
    ) -> dict[str, Any]:
        """Send a request whose answer is JetStream's JSON: a write to a stream or a call of the API.

        Raises:
            ApiRefusal: the server said no.
            BusUnavailable: as `request`, or the server has no leader at the moment.
        """
        answer: dict[str, Any] = json.loads(await self.request(subject, data, headers=headers, timeout_s=timeout_s))
        if "error" not in answer:
            return answer
        error = answer["error"]
        if error.get("code") == _NO_RESPONDERS:
            raise BusUnavailable(f"The bus is not ready: {error.get('description')}. Try again in a moment.")
        raise ApiRefusal(error.get("code", 0), error.get("err_code", 0), error.get("description", ""))

    async def api(
        self, call: str, body: dict[str, Any] | None = None, *, timeout_s: float = REQUEST_LIMIT_S
    ) -> dict[str, Any]:
        """Call the JetStream API, `call` being what stands behind `$JS.API.`; raises as `ask` does."""
        return await self.ask(f"$JS.API.{call}", json.dumps(body).encode() if body else b"", timeout_s=timeout_s)

    def new_inbox(self) -> str:
        """Make a subject that is ours alone."""
        return self._client.new_inbox()

    @asynccontextmanager
    async def subscribe(self, subject: str, handler: Handler) -> AsyncIterator[None]:
        """Hand every message of `subject` to `handler`, one after the other; reconnects replay the subscription.

        Raises:
            BusUnavailable: the server did not take the subscription.
        """
        with translated(f"subscribing to {subject}"):
            subscription = await self._client.subscribe(subject, cb=handler)
        try:
            # Without this round trip a message sent right now by somebody else could still pass us by.
            if self.is_connected:
                with translated(f"subscribing to {subject}"):
                    await self._client.flush(timeout=int(REQUEST_LIMIT_S))
            yield
        finally:
            with suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

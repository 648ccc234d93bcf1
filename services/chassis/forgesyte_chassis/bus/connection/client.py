"""The NATS client, with workarounds for some of its faults.

nats-py closes a connection for good on any -ERR it does not know, including those a healthy server sends once (a paused
server answers a half-done login with "Authentication Timeout"). It keeps unflushed data across a disconnection and
sends it seconds later, when an acknowledgement may concern another owner's delivery. An answer to a flush that misses
its limit makes it drop a healthy connection. The ping of a flush overtakes data that waits to be written, so its answer
proves nothing. When a reconnect fails during login, its socket stays open. And all clients wait equally long before
they reconnect. Nothing else is changed; private names are used, so the version is pinned.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from nats import errors
from nats.aio.client import PING_PROTO, Client, Server, Srv

from forgesyte_chassis.bus.errors import BusUnavailable

from .address import servers_of, wait_for_port, without_secret

PING_EVERY_S = 2
PINGS_OUTSTANDING = 2
RECONNECT_WAIT_S = 0.25
_PERMISSIONS = "Permissions Violation"


class SteadyClient(Client):
    """A client that keeps reconnecting whatever the server says, and never sends anything late."""

    was_opened = False

    async def open(
        self,
        url: str,
        *,
        name: str,
        token: str | None,
        limit_s: float,
        error_cb: Callable[[Exception], Awaitable[None]],
        disconnected_cb: Callable[[], Awaitable[None]],
        reconnected_cb: Callable[[], Awaitable[None]],
    ) -> None:
        """Connect with the options that this product needs.

        Args:
            url: `nats://host:port`, or several with commas between.
            name: the client's name on the server.
            token: shared secret, if the server requires one.
            limit_s: how long to wait for the port and the login, in seconds.
            error_cb: called with each error, for the log.
            disconnected_cb: called when the connection was lost.
            reconnected_cb: called when the connection is restored.

        Raises:
            BusUnavailable: no server listens there within the limit, or it refuses the login.
        """
        servers = servers_of(url)
        try:
            async with asyncio.timeout(limit_s):
                # With endless reconnects connect() itself never gives up, so it is only called once a server listens.
                await wait_for_port(servers)
                self.was_opened = True
                await self.connect(
                    servers,
                    name=name,
                    token=token,
                    ping_interval=PING_EVERY_S,
                    max_outstanding_pings=PINGS_OUTSTANDING,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_WAIT_S,  # type: ignore[arg-type]  # seconds; it only sleeps them
                    reconnect_to_server_handler=next_server,
                    pending_size=0,  # a publish while disconnected fails at once instead of being sent late
                    error_cb=error_cb,
                    disconnected_cb=disconnected_cb,
                    reconnected_cb=reconnected_cb,
                )
        except TimeoutError as error:
            last = f" (last: {self.last_error})" if self.last_error else ""
            shown = ", ".join(without_secret(server) for server in servers)
            raise BusUnavailable(
                f"Could not connect to NATS at {shown} within {limit_s:g} s{last}. Check that nats-server is running "
                "there and that the token is right."
            ) from error

    async def _connect_to_server(self, server: Srv) -> None:
        # An attempt that failed during login left its socket open, and the next one would only forget it.
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]  # the client has no types here
        await super()._connect_to_server(server)

    async def _process_err(self, err_msg: str) -> None:
        if _PERMISSIONS in err_msg:
            await super()._process_err(err_msg)
            return
        error = errors.Error(f"the server said {err_msg.strip()}")
        await self._error_cb(error)
        await self._process_op_err(error)

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)  # behind the data that waits to be written, not past it
        await self._flush_pending()

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():  # its waiter has given up
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    def forget_unsent(self) -> None:
        """Drop data that waits to be written. Subscriptions are kept: a reconnect replays them from their list."""
        self._pending.clear()
        self._pending_data_size = 0


def next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    """Return where to reconnect and how many seconds to wait first; the waits differ between clients."""
    return random.choice(servers), RECONNECT_WAIT_S * (1 + random.random())  # noqa: S311 - jitter is no secret

"""uvicorn as one task among others: it neither handles signals nor ends the process.

The caller opens the listener first, so that a taken port is an error of its own and the number behind port 0 is known.
Whatever a port serves is behind BrowserGuard and SecurityHeaders: they are added here, so that no port can lack them.
"""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from forgesyte_contracts.problems import Code, ForgeSyteError

from .acceptor import Acceptor
from .allowed_pages import AllowedPages
from .browser_guard import BrowserGuard
from .http_protocol import MAX_HEAD_BYTES, HttpProtocol
from .port_state import ConnectionLimits, PortState
from .security_headers import SecurityHeaders

NO_OTHERS = AllowedPages()
"""No name but those of loopback, no page but the service's own."""


class HttpServer(uvicorn.Server):
    """uvicorn's server with the settings of every ForgeSyte port, and without signal handlers.

    Args:
        app: the ASGI application.
        listener: the listening socket that it will be served on; its address decides which names it answers to.
        grace_s: how long open requests may go on after the stop, in whole seconds of at least one.
        lifespan: whether the server runs the application's lifespan.
        ws: the protocol class that speaks WebSocket; with "none" the application gets a WebSocket request as plain GET.
        limits: how many connections there may be, and how long a client has for the head of a request.
        allowed: names and pages that the operator allows.
    """

    server_state: PortState

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        grace_s: float,
        lifespan: Literal["on", "off"] = "off",
        ws: type[asyncio.Protocol] | Literal["none"] = "none",
        limits: ConnectionLimits | None = None,
        allowed: AllowedPages = NO_OTHERS,
    ) -> None:
        limits = limits or ConnectionLimits()
        guarded = BrowserGuard(app, bound_to=listener.getsockname()[0], allowed=allowed)
        config = uvicorn.Config(
            SecurityHeaders(guarded),
            http=HttpProtocol,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            lifespan=lifespan,
            log_config=None,
            access_log=False,
            ws=ws,
            server_header=False,
            timeout_keep_alive=limits.idle_s,
            timeout_graceful_shutdown=max(1, round(grace_s)),
        )
        super().__init__(config)
        self.server_state = PortState(limits.within_descriptors())
        self._acceptors: list[Acceptor] = []

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve the listening sockets until `should_exit`, and close them."""
        async with asyncio.TaskGroup() as group:
            self._acceptors = [Acceptor(listener, self._make_protocol, group) for listener in sockets or ()]
            try:
                await super().serve([])
            finally:
                self.stop_accepting()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await super().startup(sockets)
        for acceptor in self._acceptors:
            acceptor.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and let open requests finish."""
        self.stop_accepting()
        await super().shutdown(sockets)

    def _make_protocol(self) -> asyncio.Protocol:
        return HttpProtocol(self.config, self.server_state, self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections; uvicorn calls this ten times a second."""
        self.server_state.sweep()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to chassis.main."""
        yield

    def stop_accepting(self) -> None:
        """Accept no new connections; open ones go on."""
        for acceptor in self._acceptors:
            acceptor.stop()


def open_listener(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one (`listener.getsockname()[1]` tells which).

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, when the address is taken or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    except OSError as error:
        why = error.strerror or error
        text = f"{host} port {port} cannot be opened: {why}. Choose another port, or stop the process that uses it."
        raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text, port=port) from error


async def serve_http(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stopping: asyncio.Event,
    grace_s: float = 5.0,
    lifespan: Literal["on", "off"] = "off",
    ws: type[asyncio.Protocol] | Literal["none"] = "none",
    limits: ConnectionLimits | None = None,
    allowed: AllowedPages = NO_OTHERS,
) -> None:
    """Serve an application until `stopping` is set, then let open requests finish; close the listener at the end.

    When cancelled, open requests get no grace.

    Args:
        app: the ASGI application.
        listener: a listening socket, which this function closes.
        stopping: ends the serving.
        grace_s: how long open requests may go on after that, in seconds; then they are cancelled.
        lifespan: as HttpServer takes it.
        ws: as HttpServer takes it.
        limits: as HttpServer takes them.
        allowed: as HttpServer takes it.
    """
    server = HttpServer(app, listener, grace_s=grace_s, lifespan=lifespan, ws=ws, limits=limits, allowed=allowed)
    with listener:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve([listener]))
            try:
                await stopping.wait()
            finally:
                server.should_exit = True
                server.force_exit = not stopping.is_set()
            await serving

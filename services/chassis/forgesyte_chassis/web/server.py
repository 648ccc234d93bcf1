"""uvicorn as one task among others: it neither handles signals nor ends the process.

The caller opens the listener first, so that a taken port is an error of its own and the number behind port 0 is known.
"""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from forgesyte_contracts.problems import Code, ForgeSyteError

KEEP_ALIVE_S = 75
"""Seconds an idle connection is kept: longer than clients and proxies keep theirs, which is often 5 or 60.

The server must not be the one that closes first, or a request may meet a connection that is just being closed.
"""


class HttpServer(uvicorn.Server):
    """uvicorn's server with the settings of every ForgeSyte port, and without signal handlers.

    Args:
        app: the ASGI application.
        grace_s: how long open requests may go on after the stop, in whole seconds of at least one.
        lifespan: whether the server runs the application's lifespan.
        ws: the protocol class that speaks WebSocket; with "none" the application gets a WebSocket request as plain GET.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        grace_s: float,
        lifespan: Literal["on", "off"] = "off",
        ws: type[asyncio.Protocol] | Literal["none"] = "none",
    ) -> None:
        config = uvicorn.Config(
            app,
            lifespan=lifespan,
            log_config=None,
            access_log=False,
            ws=ws,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(grace_s)),
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to chassis.main."""
        yield

    def stop_accepting(self) -> None:
        """Accept no new connections; open ones go on."""
        for server in self.servers:
            server.close()


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
    """
    server = HttpServer(app, grace_s=grace_s, lifespan=lifespan, ws=ws)
    with listener:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve([listener]))
            try:
                await stopping.wait()
            finally:
                server.should_exit = True
                server.force_exit = not stopping.is_set()
            await serving

"""uvicorn as one task among others: it neither handles signals nor ends the process.

The caller opens the listener first, so that a port in use is a separate error and the number behind port 0 is known.
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

The server must not be the side that closes first, or a request meets a connection that is just being closed.
"""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # signals belong to chassis.main


def open_listener(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 picks a free one (see `listener.getsockname()[1]`).

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, if the address is in use or does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    except OSError as error:
        text = f"Cannot listen on {host} port {port}: {error.strerror or error}. Choose another port, or free this one."
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

    When cancelled, open requests get no grace period.

    Args:
        app: the ASGI application.
        listener: the listening socket; this function closes it.
        stopping: ends the serving.
        grace_s: how long open requests may continue after that, in seconds; then they are cancelled.
        lifespan: whether to run the application's lifespan.
        ws: the WebSocket protocol class; "none" passes a socket's request to the application as a plain GET.
    """
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
    server = _Server(config)
    with listener:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve([listener]))
            try:
                await stopping.wait()
            finally:
                server.should_exit = True
                server.force_exit = not stopping.is_set()
            await serving

"""The public port of the one-box run: the services' apps answer on it, inside this process.

The server stops in two steps, because runners drain between "no new connections" and "open connections end". The
lifespans of the apps are run here, because a server runs the lifespan of one application only. Rejected: a reverse
proxy of our own, which would be one more place to get WebSockets wrong.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from forgesyte_chassis.web.allowed_pages import AllowedPages
from forgesyte_chassis.web.port_state import ConnectionLimits
from forgesyte_chassis.web.server import NO_OTHERS, HttpServer
from forgesyte_realtime_gateway.sockets.protocol import SocketProtocol

from .apps import Apps

GRACE_S = 5
"""How long open requests may go on at the end, in whole seconds."""


@asynccontextmanager
async def serving(
    apps: Apps,
    listener: socket.socket,
    group: asyncio.TaskGroup,
    *,
    limits: ConnectionLimits | None = None,
    allowed: AllowedPages = NO_OTHERS,
) -> AsyncIterator[HttpServer]:
    """Serve `apps` on `listener` during the block; early connections wait until every lifespan has begun.

    Args:
        apps: their lifespans begin one after the other before the first request and end in reverse order at the end.
        listener: a listening socket; closed at the end.
        group: runs the serving task.
        limits: of the connections; the defaults when None.
        allowed: names and pages that the operator allows.
    """
    server = HttpServer(apps.front, listener, grace_s=GRACE_S, ws=SocketProtocol, limits=limits, allowed=allowed)
    task = group.create_task(_serve(apps, server, listener), name="edge")
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait((task,))


async def _serve(apps: Apps, server: HttpServer, listener: socket.socket) -> None:
    # A task of its own, so that an exception that ends the block is not thrown into a lifespan.
    async with AsyncExitStack() as lifespans:
        for app in apps.by_service.values():
            await lifespans.enter_async_context(app.router.lifespan_context(app))
        await server.serve([listener])


def url_of(host: str, listener: socket.socket) -> str:
    """Return the address that a browser on this machine would use."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"

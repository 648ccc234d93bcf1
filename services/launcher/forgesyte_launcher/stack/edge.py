"""The public port of the one-box run: the services' apps answer on it, inside this process.

uvicorn is one task among ours: it gets no signals, and it stops in two steps, because runners drain between "no new
connections" and "open connections end". Each app's lifespan is entered here; a dispatcher in front of several apps
would run only the first one's. A reverse proxy of our own was rejected: one more thing to get sockets wrong.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from forgesyte_chassis.web.server import KEEP_ALIVE_S
from forgesyte_realtime_gateway.sockets.protocol import SocketProtocol

from .apps import Apps

GRACE_S = 5
"""How long open requests may go on at the end, in whole seconds."""


class EdgeServer(uvicorn.Server):
    """uvicorn's server, started and stopped by serving()."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the main loop."""
        yield

    def stop_accepting(self) -> None:
        """Take no new connection; those that are open go on."""
        for server in self.servers:
            server.close()


class _Protocol(SocketProtocol):
    """The gateway's, for a server where a socket may also be refused by an HTTP answer before it is one."""

    async def send(self, message: Any) -> None:  # noqa: ANN401 - one of uvicorn's private types
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # uvicorn 0.54 knows this only of its own 403: else it logs each refusal as an error of the application.
            self.handshake_complete = True


@asynccontextmanager
async def serving(apps: Apps, listener: socket.socket, group: asyncio.TaskGroup) -> AsyncIterator[EdgeServer]:
    """Serve `apps` on `listener` for the length of the block; early connections wait until every lifespan has begun.

    Args:
        apps: their lifespans begin one after the other before the serving and end in reverse order after it.
        listener: a listening socket; closed at the end.
        group: carries the serving task.
    """
    config = uvicorn.Config(
        apps.door,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws=_Protocol,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = EdgeServer(config)
    task = group.create_task(_serve(apps, server, listener), name="edge")
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait((task,))


async def _serve(apps: Apps, server: EdgeServer, listener: socket.socket) -> None:
    # In a task of its own: what ends our block must not be thrown into a lifespan.
    async with AsyncExitStack() as lifespans:
        for app in apps.by_service.values():
            await lifespans.enter_async_context(app.router.lifespan_context(app))
        await server.serve([listener])


def url_of(host: str, listener: socket.socket) -> str:
    """Give the address a browser on this machine would use."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"

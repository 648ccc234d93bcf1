"""The public port of the one-box run: the services' apps answer on it, inside this process.

uvicorn is one task among ours: it gets no signals, and it stops in two steps, because runners drain between "no new
connections" and "open connections end". Each app's lifespan is entered here; a dispatcher in front of several apps
would run only the first one's. A reverse proxy of our own was rejected: one more thing to get sockets wrong.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

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


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket, group: asyncio.TaskGroup) -> AsyncIterator[EdgeServer]:
    """Serve `app` on `listener` for the length of the block; early connections wait until its lifespan has begun.

    Args:
        app: the application; its lifespan begins before and ends after the serving.
        listener: a listening socket; closed at the end.
        group: carries the serving task.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = EdgeServer(config)
    task = group.create_task(_serve(app, server, listener), name="edge")
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait((task,))


async def _serve(app: Starlette, server: EdgeServer, listener: socket.socket) -> None:
    # In a task of its own: what ends our block must not be thrown into the app's lifespan.
    async with app.router.lifespan_context(app):
        await server.serve([listener])


def url_of(host: str, listener: socket.socket) -> str:
    """Give the address a browser on this machine would use."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"

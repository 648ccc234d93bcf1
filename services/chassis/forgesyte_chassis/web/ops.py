"""The ops port: is the loop turning, may work come, what was counted. Never on the public port.

Liveness is that an answer comes at all; it asks no dependency, because restarting a pod mends no bus. Readiness is
what the service says of itself plus its checks, each with its reason.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from forgesyte_chassis.main import Lifetime

from . import problems
from .server import open_listener, serve_http

Check = Callable[[], bool | str]
"""Gives True when all is well; False or a text that says what is not."""

log = structlog.get_logger(__name__)


class Health:
    """What one service knows of its own readiness."""

    def __init__(self) -> None:
        self._is_ready = False
        self._checks: dict[str, Check] = {}

    def set_ready(self, is_ready: bool) -> None:
        """Say whether work may come: True after start, False from the first moment of a drain."""
        self._is_ready = is_ready

    def add_check(self, name: str, check: Check) -> None:
        """Add a check that is asked at each look; it must answer at once, without waiting for anybody."""
        self._checks[name] = check

    def checks(self) -> dict[str, str]:
        """Ask every check: `ok`, or what is not."""
        answers = {name: check() for name, check in self._checks.items()}
        return {name: "ok" if answer is True else answer or "failed" for name, answer in answers.items()}

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        own = [] if self._is_ready else ["service: starting or draining"]
        return own + [f"{name}: {answer}" for name, answer in self.checks().items() if answer != "ok"]


async def _nothing_more() -> bytes:
    return b""


def ops_app(
    health: Health, registry: CollectorRegistry, more_metrics: Callable[[], Awaitable[bytes]] = _nothing_more
) -> Starlette:
    """Make the application of the ops port: /livez, /readyz (503 with reasons when not), /metrics.

    Args:
        health: what the service knows of its readiness.
        registry: what is counted here.
        more_metrics: gives what else a scrape is told, as text that repeats none of the registry's names.
    """

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        reasons = health.reasons()
        status = {"status": "not ready" if reasons else "ready", "reasons": reasons, "checks": health.checks()}
        return JSONResponse(status, 503 if reasons else 200)

    async def metrics(_request: Request) -> Response:
        text = await asyncio.to_thread(generate_latest, registry)
        return Response(text + await more_metrics(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])
    problems.install(app)
    return app


async def serve_ops(
    app: Starlette, host: str, port: int, lifetime: Lifetime, *, on_open: Callable[[int], None] | None = None
) -> None:
    """Serve the ops port until cancelled: it answers during the drain too, and ends with the lifetime's group.

    Args:
        app: what ops_app() made.
        host: where to listen.
        port: 0 takes a free one; -1 switches the ops port off.
        lifetime: the run it belongs to.
        on_open: told the port once it is open.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, when the address is taken.
    """
    if port < 0:
        return
    listener = open_listener(host, port)
    opened = listener.getsockname()[1]
    log.info("ops port open", host=host, port=opened, draining=lifetime.stopping.is_set())
    if on_open is not None:
        on_open(opened)
    await serve_http(app, listener, stopping=asyncio.Event())


async def serve_ops_on(app: Starlette, listener_fd: int) -> None:
    """Serve the ops port on a listening socket that whoever started us opened and handed down, until cancelled."""
    listener = socket.socket(fileno=listener_fd)
    listener.set_inheritable(False)  # it is ours alone: no child of ours answers on it
    await serve_http(app, listener, stopping=asyncio.Event())

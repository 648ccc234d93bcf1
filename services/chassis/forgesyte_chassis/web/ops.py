"""The ops port: liveness, readiness and metrics. Never served on the public port.

A service is alive if it answers at all; no dependency is checked, because restarting a pod does not repair the bus. The
answer comes from the loop that does the service's work, so a process that is stopped, and one whose loop hangs, gives
none: a liveness probe finds both. A service is ready if it says so itself and all its checks pass; each check that
fails has a reason.
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
from .allowed_pages import AllowedPages
from .port_state import ConnectionLimits
from .server import NO_OTHERS, open_listener, serve_http

Check = Callable[[], bool | str]
"""Returns True if all is well, else False or a text that says what is wrong."""

OPS_LIMITS = ConnectionLimits(connections=256)

log = structlog.get_logger(__name__)


class Health:
    """What one service knows about its own readiness."""

    def __init__(self) -> None:
        self._is_ready = False
        self._checks: dict[str, Check] = {}

    def set_ready(self, is_ready: bool) -> None:
        """Set whether the service accepts work: True after start, False from the beginning of a drain."""
        self._is_ready = is_ready

    def add_check(self, name: str, check: Check) -> None:
        """Add a check that runs at each request; it must return immediately, without waiting for anything."""
        self._checks[name] = check

    def checks(self) -> dict[str, str]:
        """Run every check; return `ok` or what is wrong, by the check's name."""
        answers = {name: check() for name, check in self._checks.items()}
        return {name: "ok" if answer is True else answer or "failed" for name, answer in answers.items()}

    def reasons(self) -> list[str]:
        """Return why the service is not ready; empty if it is."""
        own = [] if self._is_ready else ["service: starting or draining"]
        return own + [f"{name}: {answer}" for name, answer in self.checks().items() if answer != "ok"]


async def _nothing_more() -> bytes:
    return b""


def ops_app(
    health: Health, registry: CollectorRegistry, more_metrics: Callable[[], Awaitable[bytes]] = _nothing_more
) -> Starlette:
    """Return the application of the ops port: /livez, /readyz (503 with reasons if not ready), /metrics.

    Args:
        health: what the service knows about its readiness.
        registry: the service's own metrics.
        more_metrics: returns further metrics for a scrape, as text that repeats none of the registry's names.
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
    app: Starlette,
    host: str,
    port: int,
    lifetime: Lifetime,
    *,
    on_open: Callable[[int], None] | None = None,
    allowed: AllowedPages = NO_OTHERS,
) -> None:
    """Serve the ops port until cancelled: it also answers during the drain, and ends with the lifetime's group.

    Args:
        app: the application that ops_app() returned.
        host: where to listen.
        port: 0 picks a free one; -1 disables the ops port.
        lifetime: the run it belongs to.
        on_open: called with the port once it is open.
        allowed: names and pages that the operator allows.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, if the address is in use.
    """
    if port < 0:
        return
    listener = open_listener(host, port)
    opened = listener.getsockname()[1]
    log.info("ops port open", host=host, port=opened, draining=lifetime.stopping.is_set())
    if on_open is not None:
        on_open(opened)
    await serve_http(app, listener, stopping=asyncio.Event(), limits=OPS_LIMITS, allowed=allowed)


async def serve_ops_on(app: Starlette, listener_fd: int) -> None:
    """Serve the ops port, until cancelled, on a listening socket that the parent process opened and passed on."""
    listener = socket.socket(fileno=listener_fd)
    listener.set_inheritable(False)  # this process alone answers on it, none of its children
    await serve_http(app, listener, stopping=asyncio.Event(), limits=OPS_LIMITS)

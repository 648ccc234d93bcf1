"""A service with a public port, as a process of its own: bus, keys, ops port, application, orderly end.

The one-box run does not use this: it serves all applications behind one port over one connection. WebService describes
a service beyond its application; nothing here knows which service it runs.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.settings import PublicSettings

from .allowed_pages import AllowedPages
from .keys import KeyRing, require_loopback
from .ops import Check, Health, ops_app, serve_ops
from .port_state import ConnectionLimits
from .server import open_listener, serve_http

log = structlog.get_logger(__name__)


def no_checks(_app: Starlette) -> Mapping[str, Check]:
    """Return nothing: for an application that is ready as soon as its bus is."""
    return {}


async def no_streams(_app: Starlette) -> None:
    """Do nothing: for an application whose responses all end by themselves."""


@dataclass(frozen=True, slots=True)
class WebService[AppT: Starlette]:
    """The description of one service.

    Attributes:
        name: the service's name in the log, on the bus and in metrics.
        make_app: returns the application for a bus with all streams and buckets, the keys, and the registry for its
            metrics; its lifespan is run here.
        end_streams: awaited when a stop was requested, before open requests get their grace period: ends responses that
            would never end by themselves.
        longest_grace_s: upper limit in seconds for open requests, whatever the drain limit is.
        ws: the WebSocket protocol class, as for serve_http.
        checks: returns what else readiness depends on, once the application's lifespan has begun.
    """

    name: str
    make_app: Callable[[Bus, KeyRing, CollectorRegistry], AppT]
    end_streams: Callable[[AppT], Awaitable[None]] = no_streams
    longest_grace_s: float = math.inf
    ws: type[asyncio.Protocol] | Literal["none"] = "none"
    checks: Callable[[AppT], Mapping[str, Check]] = no_checks


def run_web_service[AppT: Starlette](service: WebService[AppT], settings: PublicSettings) -> int:
    """Run a service until it is stopped, and return the exit code."""
    return run_service(lambda lifetime: serve(service, settings, lifetime), name=service.name, settings=settings)


async def serve[AppT: Starlette](service: WebService[AppT], settings: PublicSettings, lifetime: Lifetime) -> None:
    """Serve the public port and the ops port until the lifetime stops.

    Raises:
        ForgeSyteError: the bus is unreachable, an address is in use, or no key protects an address others can reach.
    """
    keys = KeyRing.from_settings(settings)
    require_loopback(settings.host, keys)
    registry = new_registry(service.name)
    token = None if settings.bus_token is None else settings.bus_token.get_secret_value()
    async with Bus.connect(settings.bus_url, name=service.name, token=token) as bus:
        await bus.ensure()
        app = service.make_app(bus, keys, registry)
        health = _readiness(bus, lifetime)
        ops = ops_app(health, registry)
        allowed = AllowedPages.from_settings(settings)
        serving_ops = serve_ops(ops, settings.ops_host, settings.ops_port, lifetime, allowed=allowed)
        lifetime.group.create_task(serving_ops, name="ops")
        async with beside(bus.probe_writes()), app.router.lifespan_context(app):
            for name, check in service.checks(app).items():
                health.add_check(name, check)
            await _serve_public(service, app, settings, lifetime)


async def _serve_public[AppT: Starlette](
    service: WebService[AppT], app: AppT, settings: PublicSettings, lifetime: Lifetime
) -> None:
    listener = open_listener(settings.host, settings.port)
    log.info("service ready", service=service.name, host=settings.host, port=listener.getsockname()[1])
    streams_ended = asyncio.Event()
    grace_s = min(settings.drain_s, service.longest_grace_s)
    allowed = AllowedPages.from_settings(settings)
    async with asyncio.TaskGroup() as group:
        limits = ConnectionLimits.of(settings)
        group.create_task(
            serve_http(
                app, listener, stopping=streams_ended, grace_s=grace_s, ws=service.ws, limits=limits, allowed=allowed
            )
        )
        await lifetime.stopping.wait()
        await service.end_streams(app)
        streams_ended.set()


def _readiness(bus: Bus, lifetime: Lifetime) -> Health:
    health = Health()
    health.add_check("bus", bus.check)
    health.add_check("draining", lambda: not lifetime.stopping.is_set() or "stopping")
    health.set_ready(True)
    return health

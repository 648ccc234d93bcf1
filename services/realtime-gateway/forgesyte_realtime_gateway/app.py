"""Puts the gateway together: its endpoints, and the tasks that keep the watched jobs current."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, RunnerView
from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_chassis.web import problems
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.known_parameters import require_known_parameters
from forgesyte_chassis.web.openapi import with_problem_schema
from forgesyte_chassis.web.route_guard import route_guard
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_contracts.routes import REALTIME_GATEWAY, routes_of

from .asyncapi import asyncapi_document
from .clients.connections import ConnectionManager
from .clients.pings import Pings
from .description import RESPONSES, describe
from .metric_labels import Result, Transport
from .metrics import GatewayMetrics
from .settings import GatewaySettings
from .sockets.access import authorise
from .sockets.event_stream import EventStream, accepts_events
from .sockets.gateway import Gateway
from .sockets.sockets import SocketEndpoint
from .sockets.stream_query import StreamQuery
from .watching.job_watches import JobWatches

REALTIME = "/v1/realtime"
_VERSION = version("forgesyte-realtime-gateway")
_NO_DOCUMENTATION: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None}
"""No pages of FastAPI's own: only the routes in the route table are public."""

_CLOSING_S = 2.0
_LOOK_EVERY_S = 0.01


def create_app(
    bus: Bus,
    keys: KeyRing,
    settings: GatewaySettings,
    *,
    registry: CollectorRegistry | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """Make the application over an open bus; its lifespan runs the tasks behind the endpoints.

    Serve it with `ws=SocketProtocol` (protocol.py), and await end_streams() before the server stops.

    Args:
        bus: connected, with its streams and buckets in place; it stays open until the lifespan has ended.
        keys: the API keys and their scopes.
        settings: limits and periods.
        registry: where the metrics are registered; a new registry when None.
        clock: the machine's own when None.
    """
    clock = clock or SystemClock()
    metrics = GatewayMetrics(registry or CollectorRegistry())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bus.runners.watch() as runners:
            gateway = _gateway(bus, keys, settings, metrics=metrics, clock=clock, runners=runners)
            app.state.gateway = gateway
            async with beside(gateway.watches.run(), gateway.pings.run()):
                try:
                    yield
                finally:
                    gateway.manager.close_all()

    app = FastAPI(title="ForgeSyte realtime", version=_VERSION, lifespan=lifespan, **_NO_DOCUMENTATION)
    problems.install(app)
    app.add_api_route(REALTIME, _realtime, methods=["GET"], response_model=None, responses=RESPONSES)
    guard = Depends(route_guard(keys))
    app.add_api_route(
        "/asyncapi.json", _asyncapi, methods=["GET", "HEAD"], include_in_schema=False, dependencies=[guard]
    )
    for route in (route for route in routes_of(REALTIME_GATEWAY) if route.has_socket):
        transport = Transport.SOCKET if route.path == REALTIME else Transport.JOB_SOCKET
        app.router.routes.append(WebSocketRoute(route.path, SocketEndpoint(route.path, transport)))
    with_problem_schema(app)
    return app


async def end_streams(app: FastAPI) -> None:
    """Close every socket with 1000 and every stream, and wait briefly until they are gone.

    Does nothing when the lifespan never began.
    """
    gateway: Gateway | None = getattr(app.state, "gateway", None)
    if gateway is None:
        return
    manager = gateway.manager
    manager.close_all()
    end = time.monotonic() + _CLOSING_S
    while manager.get_active_connections() and time.monotonic() < end:  # noqa: ASYNC110  handlers end one by one
        await asyncio.sleep(_LOOK_EVERY_S)


async def _realtime(request: Request, query: Annotated[StreamQuery, Query()]) -> Response:
    """Open a stream of server-sent events for a client that accepts them, else describe the protocol."""
    gateway: Gateway = request.app.state.gateway
    is_stream = accepts_events(request.headers.get("accept", ""))
    try:
        key_name = authorise(gateway.keys, request, REALTIME)
    except ForgeSyteError:
        if is_stream:
            gateway.metrics.connects.labels(Result.AUTH).inc()
        raise
    require_known_parameters(request)
    if is_stream:
        return EventStream(gateway, request, query, key_name)
    query.wanted_job()  # a question that is wrong is refused, whatever the answer would be
    return JSONResponse(describe(gateway.settings))


async def _asyncapi() -> JSONResponse:
    return JSONResponse(asyncapi_document())


def _gateway(
    bus: Bus,
    keys: KeyRing,
    settings: GatewaySettings,
    *,
    metrics: GatewayMetrics,
    clock: Clock,
    runners: RunnerView,
) -> Gateway:
    manager = ConnectionManager(metrics, session_capacity=settings.session_capacity, clock=clock)
    return Gateway(
        bus=bus,
        keys=keys,
        settings=settings,
        clock=clock,
        metrics=metrics,
        manager=manager,
        watches=JobWatches(bus, manager, settings, metrics=metrics, clock=clock),
        pings=Pings(manager, settings, clock),
        runners=runners,
    )

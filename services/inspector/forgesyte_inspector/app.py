"""Puts the inspector together: routes, the views they read, and the tasks that keep them and the bucket true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_chassis.web import problems
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.route_guard import route_guard

from .description import describe
from .gauges import Gauges
from .plugin_memory import PluginMemory
from .roster import Roster
from .routes import fleet, plugins
from .service import InspectorService
from .settings import InspectorSettings
from .state import InspectorState

_DESCRIPTION = "How plugins, runners and devices are."


def create_app(
    bus: Bus,
    keys: KeyRing,
    settings: InspectorSettings,
    *,
    clock: Clock | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Make the application over a connection that is already open; its lifespan runs what works behind the routes.

    Args:
        bus: connected, with streams and buckets ensured; stays open until the lifespan has ended.
        keys: who may do what.
        settings: limits and periods.
        clock: the machine's own when None.
        registry: where the metrics are counted; None counts them where nobody looks.
    """
    clock = clock or SystemClock()
    gauges = Gauges(registry or CollectorRegistry())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bus.runners.watch() as runners, bus.plugins.watch() as known:
            roster = Roster(runners.living, clock.monotonic_s, settings)
            service = InspectorService(roster, known, clock, is_connected=lambda: bus.is_connected)
            app.state.inspector = state = InspectorState(bus, clock, roster, service)
            keeper = PluginMemory(bus.plugins, known, clock, settings)
            # A fault in one of them ends whoever holds the lifespan, loudly.
            async with beside(_look(state, gauges, settings.look_every_s), _keep(state, keeper, settings.look_every_s)):
                yield

    # Only what the route table names is public, and there /v1/plugins and /v1/plugins/ are two things.
    app = FastAPI(
        title="ForgeSyte inspector",
        version=version("forgesyte-inspector"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(route_guard(keys))],
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_exception_handler(plugins.PluginNotFound, plugins.on_plugin_not_found)
    for part in (plugins, fleet):
        app.include_router(part.router)
    describe(app)
    return app


async def _look(state: InspectorState, gauges: Gauges, every_s: float) -> None:
    while True:
        runners = [seen.state for seen in state.roster.all()]
        gauges.show(runners, [picture.health.state for picture in state.service.pictures().values()])
        await asyncio.sleep(every_s)


async def _keep(state: InspectorState, keeper: PluginMemory, every_s: float) -> None:
    while True:
        if state.bus.is_connected:
            with suppress(BusUnavailable):  # said by the keeper; the next round tries again
                await keeper.round(state.service.living(), state.service.seen)
        await asyncio.sleep(every_s)

"""Puts the inspector together: its routes, the views they read, and the tasks that keep views and bucket current."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, BusUnavailable
from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_chassis.web import problems
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.route_guard import route_guard

from .description import describe, refusals
from .gauges import Gauges
from .plugin_memory import PluginMemory
from .roster import Roster
from .routes import fleet, plugins
from .service import InspectorService
from .settings import InspectorSettings
from .state import InspectorState

_APPLICATION: dict[str, Any] = {
    "title": "ForgeSyte inspector",
    "version": version("forgesyte-inspector"),
    "description": "The state of plugins, runners and devices.",
    "redirect_slashes": False,
    "openapi_url": None,
    "docs_url": None,
    "redoc_url": None,
}
"""Only the routes in the route table are public, and /v1/plugins and /v1/plugins/ are two of them."""


def create_app(
    bus: Bus,
    keys: KeyRing,
    settings: InspectorSettings,
    *,
    clock: Clock | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Make the application over an open bus; its lifespan runs the tasks behind the routes.

    Args:
        bus: connected, with its streams and buckets in place; it stays open until the lifespan has ended.
        keys: the API keys and their scopes.
        settings: limits and periods.
        clock: the machine's own when None.
        registry: where the metrics are registered; a new registry when None.
    """
    clock = clock or SystemClock()
    gauges = Gauges(registry or CollectorRegistry())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bus.runners.watch() as runners, bus.plugins.watch() as known:
            roster = Roster(runners.living, clock, settings)
            service = InspectorService(roster, known, clock, is_connected=lambda: bus.is_connected)
            app.state.inspector = state = InspectorState(bus, clock, roster, service)
            memory = PluginMemory(bus.plugins, known, clock, settings)
            # An error in one of the tasks ends the lifespan, and with it the process.
            every_s = settings.look_every_s
            async with beside(_show_states(state, gauges, every_s), _remember_plugins(state, memory, every_s)):
                yield

    app = FastAPI(lifespan=lifespan, dependencies=[Depends(route_guard(keys))], **_APPLICATION)
    problems.install(app)
    app.add_exception_handler(plugins.PluginNotFound, plugins.on_plugin_not_found)
    for part in (plugins, fleet):
        app.include_router(part.router, responses=refusals(401, 403, 422))
    describe(app)
    return app


async def _show_states(state: InspectorState, gauges: Gauges, every_s: float) -> None:
    while True:
        runners = [seen.state for seen in state.roster.all()]
        gauges.show(runners, [summary.health.state for summary in state.service.summaries().values()])
        await asyncio.sleep(every_s)


async def _remember_plugins(state: InspectorState, memory: PluginMemory, every_s: float) -> None:
    while True:
        if state.bus.is_connected:
            with suppress(BusUnavailable):  # logged by the memory; the next round retries
                await memory.update(state.service.living(), state.service.seen)
        await asyncio.sleep(every_s)

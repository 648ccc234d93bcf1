"""Puts job-api together: routes, the views they read, and the tasks that keep those views alive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI

from forgesyte_chassis import problems
from forgesyte_chassis.blobs import Store
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.keys import KeyRing

from .access import authorise
from .archive import Archive
from .catalog import Catalog
from .clock import Clock, SystemClock
from .consumers import keep_consumers
from .health import HealthCheck
from .projection import Projection
from .reconciler import Reconciler
from .routes import cancel, health, jobs, results, submit
from .settings import JobApiSettings
from .state import ApiState

_DESCRIPTION = "Send a video to a plugin, follow the job, read its results."


def create_app(
    bus: Bus, store: Store, keys: KeyRing, settings: JobApiSettings, *, clock: Clock | None = None
) -> FastAPI:
    """Make the application over connections that are already open; its lifespan runs what works behind the routes.

    Args:
        bus: connected, with streams and buckets ensured; stays open until the lifespan has ended.
        store: where media and results are.
        keys: who may do what.
        settings: limits and periods.
        clock: the machine's own when None.
    """
    release = version("forgesyte-job-api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bus.runners.watch() as runners:
            state = _state(bus, store, keys, settings, clock or SystemClock(), Catalog(runners.living))
            app.state.job_api = state
            app.state.health = _health(state, release)
            async with _background(state):
                await state.projection.wait_filled(settings.lookup_wait_s)
                yield

    # Only what the route table names may be public, so the framework's own pages are off; its description stays.
    app = FastAPI(
        title="ForgeSyte jobs",
        version=release,
        description=_DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(authorise)],
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for part in (submit, jobs, results, cancel, health):
        app.include_router(part.router)
    return app


def _state(bus: Bus, store: Store, keys: KeyRing, settings: JobApiSettings, clock: Clock, catalog: Catalog) -> ApiState:
    return ApiState(
        bus=bus,
        store=store,
        keys=keys,
        settings=settings,
        clock=clock,
        catalog=catalog,
        projection=Projection(history=settings.history, clock=clock),
        archive=Archive(store, kept=settings.inline_results_kept),
    )


def _health(state: ApiState, release: str) -> HealthCheck:
    return HealthCheck(
        bus=state.bus,
        store=state.store,
        projection=state.projection,
        catalog=state.catalog,
        settings=state.settings,
        clock=state.clock,
        version=release,
    )


@asynccontextmanager
async def _background(state: ApiState) -> AsyncIterator[None]:
    """Run projection, consumers and reconciler; a fault in one of them ends whoever holds the lifespan, loudly."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(state.projection.run(state.bus), name="projection"),
            group.create_task(keep_consumers(state.bus, state.catalog), name="consumers"),
            group.create_task(Reconciler(state).run(), name="reconciler"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

"""Puts job-api together: the routes, the views they read, and the tasks that keep those views current."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, RunnerView
from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_chassis.disk_watch import DiskWatch, written_folders
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store, folder_of
from forgesyte_chassis.web import problems
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.openapi import with_problem_schema
from forgesyte_chassis.web.ops import Check
from forgesyte_chassis.web.route_guard import route_guard
from forgesyte_contracts.http.service import ServiceFacts, ServiceLimits, ServiceLinks
from forgesyte_sandbox.parent.homes.survivors import end_survivors
from forgesyte_sandbox.parent.zygote import Zygote

from .catalog import Catalog
from .consumers import keep_consumers
from .health.report import HealthCheck
from .health.standing_jobs import StandingJobs
from .jobgauges import JobGauges
from .metrics import ApiMetrics
from .projection import Projection
from .reconcile.rounds import Rounds
from .request_counting import CountedRequests
from .results.annotated import Annotator
from .results.archive import Archive
from .results.playable import PlayableMaker
from .results.timelines import Timelines
from .results.workshop import Studio, Workshop
from .routes import analyze, cancel, facts, frames, health, jobs, playable, results, retry, submit, timeline
from .routes import input as job_input
from .settings import JobApiSettings
from .state import ApiState
from .submit.places import Places
from .submit.probe import Prober
from .submit.retry import COPIES_AT_ONCE

_DESCRIPTION = "Submit a video to a plugin, follow the job, read its results."


def create_app(
    bus: Bus,
    store: Store,
    keys: KeyRing,
    settings: JobApiSettings,
    *,
    clock: Clock | None = None,
    zygote: Zygote | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Make the application over connections that are already open; its lifespan runs the tasks behind the routes.

    Args:
        bus: connected, with streams and buckets ensured; stays open until the lifespan has ended.
        store: where media and results are.
        keys: who may do what.
        settings: limits and periods.
        clock: the machine's own when None.
        zygote: what sandboxes are forked from; None lets the lifespan start one, which needs the main thread.
        registry: where the metrics are registered; None makes one of its own, which is never scraped.
    """
    clock_used = clock or SystemClock()
    registry = registry or CollectorRegistry()
    metrics = ApiMetrics(registry)
    release = version("forgesyte-job-api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            runners = await stack.enter_async_context(bus.runners.watch())
            if zygote is None:
                await end_survivors(settings.own_wall())  # before the sweep of the folders that they write in
            scratch = await stack.enter_async_context(Scratch.open(settings.scratch_path, "job-api"))
            homes = scratch.path / "homes"
            disk = DiskWatch(
                written_folders(folder_of(settings.store_url), settings.bus_dir, scratch), settings.min_free_bytes
            )
            await disk.look()
            started = Zygote.start(wall=settings.own_wall(), homes=homes) if zygote is None else nullcontext(zygote)
            sandboxes = await stack.enter_async_context(started)
            studio = Studio(store, scratch, sandboxes, settings, disk)
            state = ApiState(
                bus=bus,
                store=store,
                settings=settings,
                clock=clock_used,
                metrics=metrics,
                catalog=Catalog(runners.living),
                projection=Projection(history=settings.history, clock=clock_used),
                archive=Archive(store, kept=settings.inline_results_kept),
                scratch=scratch,
                disk=disk,
                zygote=sandboxes,
                annotated=await stack.enter_async_context(Workshop.open(Annotator(studio), clock_used)),
                playables=await stack.enter_async_context(Workshop.open(PlayableMaker(studio), clock_used)),
                prober=Prober(sandboxes, settings),
                timelines=Timelines(store),
                copying=Places(COPIES_AT_ONCE, wait_s=settings.probe_wait_s),
            )
            rounds = Rounds(clock_used, metrics, every_s=settings.reconcile_every_s)
            app.state.job_api = state
            app.state.health = _health(state, rounds, runners, release)
            stack.enter_context(JobGauges(state.projection, clock_used).shown_in(registry))
            # A fault in one of them propagates to the process that runs the lifespan and ends it.
            await stack.enter_async_context(
                beside(
                    disk.run(),
                    state.projection.run(bus),
                    keep_consumers(bus, state.catalog),
                    state.reconciler().run(rounds),
                )
            )
            await state.projection.wait_filled(settings.lookup_wait_s)
            yield

    # Only the paths of the route table are public, so the framework's own pages are off. The OpenAPI document is served
    # by a route like the others, because the framework's own one asks neither for a key nor for known parameters.
    app = FastAPI(
        title="ForgeSyte jobs",
        version=release,
        description=_DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(route_guard(keys))],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.facts = _facts(settings, keys, release)
    problems.install(app)
    app.add_middleware(CountedRequests, metrics=metrics, clock=clock_used)  # outermost: it sees what is really sent
    for part in (submit, analyze, jobs, results, frames, job_input, playable, cancel, health, facts, timeline, retry):
        app.include_router(part.router)
    with_problem_schema(app)

    async def describe() -> JSONResponse:
        return JSONResponse(app.openapi())

    app.add_api_route("/openapi.json", describe, methods=["GET", "HEAD"], include_in_schema=False)
    return app


def readiness_checks(app: FastAPI) -> Mapping[str, Check]:
    """Return what readiness depends on beside the bus, once the lifespan has begun."""
    state = app.state.job_api
    assert isinstance(state, ApiState)  # noqa: S101  the lifespan put it there
    return {"storage": state.disk.check}


def _facts(settings: JobApiSettings, keys: KeyRing, release: str) -> ServiceFacts:
    limits = ServiceLimits(
        upload_bytes=settings.max_upload_bytes,
        image_pixels=settings.max_image_pixels,
        video_side_px=settings.max_side_px,
    )
    return ServiceFacts(version=release, keys_required=not keys.is_open, limits=limits, links=ServiceLinks())


def _health(state: ApiState, rounds: Rounds, runners: RunnerView, release: str) -> HealthCheck:
    standing = StandingJobs(
        projection=state.projection,
        living=state.catalog.living,
        known=runners.known,
        left_s=runners.left_s,
        clock=state.clock,
        grace_s=state.settings.runner_grace_s,
    )
    return HealthCheck(
        bus=state.bus,
        store=state.store,
        disk=state.disk,
        projection=state.projection,
        catalog=state.catalog,
        standing=standing,
        reconciler=rounds.health,
        settings=state.settings,
        clock=state.clock,
        version=release,
    )

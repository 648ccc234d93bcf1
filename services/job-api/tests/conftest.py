"""The service over a real nats-server and a real folder; only the runners are played by the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
import pytest
from prometheus_client import CollectorRegistry

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, Requires, ToolManifest
from forgesyte_contracts.runners import Device, RunnerHeartbeat
from forgesyte_job_api.app import create_app
from forgesyte_job_api.settings import JobApiSettings
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from tests.support import NOW, HandClock, NatsServer, eventually, nats_server

SCHEMA = {
    "type": "object",
    "properties": {"threshold": {"type": "integer", "minimum": 1, "maximum": 255}, "area": {"type": "number"}},
    "additionalProperties": False,
}


def a_tool(name: str = "detect-motion", **changes: Any) -> ToolManifest:
    return ToolManifest(name=name, **{"aliases": (), "options_schema": SCHEMA, **changes})


def a_plugin(name: str = "motion", state: PluginState = PluginState.INITIALIZED, **changes: Any) -> PluginOnRunner:
    tools = changes.pop("tools", (a_tool(aliases=("motion",)), a_tool("track-objects")))
    gpu_memory = 1 << 30 if changes.pop("uses_gpu", False) else None
    requires = Requires(gpu=changes.pop("needs_gpu", False), gpu_memory_bytes=gpu_memory)
    manifest = PluginManifest(name=name, version="1.0.0", tools=tools, requires=requires)
    return PluginOnRunner(**{"name": name, "state": state, "manifest": manifest, **changes})


def a_heartbeat(
    *plugins: PluginOnRunner, runner_id: str = "runner-1", devices: tuple[str, ...] = ("cpu",)
) -> RunnerHeartbeat:
    return RunnerHeartbeat(
        runner_id=runner_id,
        host="here",
        pid=1,
        version="0.1.0",
        started_at="2025-01-01T00:00:00Z",
        slots=1,
        devices=tuple(Device(name=kind, kind=kind) for kind in devices),
        plugins=plugins or (a_plugin(),),
    )


def a_record(**changes: Any) -> JobRecord:
    facts = {
        "job_id": new_job_id(),
        "plugin_id": "motion",
        "tools": ("detect-motion",),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return JobRecord(**{**facts, **changes})


@dataclass
class Api:
    """A running job-api and what it depends on."""

    http: httpx.AsyncClient
    app: Any
    bus: Bus
    store: Store
    server: NatsServer
    registry: CollectorRegistry

    @property
    def state(self) -> Any:
        return self.app.state.job_api

    def value(self, name: str, **labels: str) -> float | None:
        """Return a metric as a scrape would find it."""
        return self.registry.get_sample_value(f"forgesyte_api_{name}", labels)

    async def beat(self, *plugins: PluginOnRunner, **facts: Any) -> None:
        """Send a runner's heartbeat, and wait until the catalog has it."""
        heartbeat = a_heartbeat(*plugins, **facts)
        await self.bus.runners.beat(heartbeat)
        await eventually(lambda: self.state.catalog.living().get(heartbeat.runner_id) == heartbeat)

    async def submit(self, content: Any = b"some video", **query: Any) -> httpx.Response:
        params = {"plugin_id": "motion", "tool": "detect-motion", **query}
        params = {name: value for name, value in params.items() if value is not None}
        return await self.http.post(
            "/v1/video/submit", params=params, content=content, headers={"Content-Type": "video/mp4"}
        )

    async def put(self, record: JobRecord) -> JobRecord:
        """Write a record as another service would, and wait until the projection has it."""
        stored = await self.bus.jobs.create(record)
        await eventually(lambda: self.state.projection.get(record.job_id) is not None)
        return stored.record


Started = Callable[..., Awaitable[Api]]

QUIET = {"reconcile_every_s": 3600.0}
"""A reconciler that does not interfere with tests about something else."""


class EasySandbox:
    """Finds any upload to be good media, so that tests about something else need no media and no zygote."""

    FACTS: ClassVar = {"codec": "h264", "fps": 25.0, "rotation": 0, "width": 64, "height": 48}

    async def run(self, order: Order) -> SandboxOutcome:
        return SandboxOutcome(True, {**self.FACTS, "kind": order.spec.kind}, None, None, 1.0, "succeeded")


@asynccontextmanager
async def running(
    server: NatsServer,
    folder: Path,
    *,
    keys: KeyRing | None = None,
    clock: Any = None,
    zygote: Any = None,
    **settings: Any,
):
    """One replica of job-api over the given server and folder; with `zygote="real"` it starts its own."""
    store = Store.open(str(folder))
    async with Bus.connect(server.url, name="job-api-test") as bus:
        await bus.ensure()
        made = JobApiSettings(
            **{**QUIET, "scratch_dir": str(folder.parent / "scratch"), "store_url": str(folder), **settings}
        )
        chosen = None if zygote == "real" else zygote or EasySandbox()
        registry = CollectorRegistry()
        app = create_app(bus, store, keys or KeyRing(), made, clock=clock, zygote=chosen, registry=registry)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60) as http,
        ):
            yield Api(http, app, bus, store, server, registry)


@pytest.fixture
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as started:
        yield started


@pytest.fixture
async def api(server: NatsServer, tmp_path: Path) -> AsyncIterator[Api]:
    """job-api with one living runner that offers plugin `motion` on the CPU."""
    async with running(server, tmp_path / "store") as started:
        await started.beat()
        yield started


@pytest.fixture
def start(server: NatsServer, tmp_path: Path):
    """Starts replicas with settings of the test's own: `async with start(resend_after_s=0) as api`."""
    return lambda **settings: running(server, tmp_path / "store", **settings)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


FORM = {"Content-Type": "multipart/form-data; boundary=the-boundary"}


def form(texts, file=None, *, fields_first: bool = True) -> bytes:
    """A multipart body by hand, so that the test decides its order and its odd bytes."""
    parts = [_part(f'name="{name}"', value.encode()) for name, value in texts]
    if file is not None:
        name, filename, data = file
        part = _part(f'name="{name}"; filename="{filename}"', data, "Content-Type: video/mp4\r\n")
        parts = [*parts, part] if fields_first else [part, *parts]
    return b"".join(parts) + b"--the-boundary--\r\n"


def _part(facts: str, data: bytes, more: str = "") -> bytes:
    head = f"--the-boundary\r\nContent-Disposition: form-data; {facts}\r\n{more}\r\n"
    return head.encode() + data + b"\r\n"


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    """The body in network chunks of `size` bytes."""
    for start_at in range(0, len(body), size):
        yield body[start_at : start_at + size]


@pytest.fixture
def make():
    """The builders of this module: tests are imported by path, so they cannot import them by name."""
    return SimpleNamespace(
        FORM=FORM,
        NOW=NOW,
        HandClock=HandClock,
        a_heartbeat=a_heartbeat,
        a_plugin=a_plugin,
        a_record=a_record,
        a_tool=a_tool,
        cut=cut,
        form=form,
        pieces=pieces,
    )

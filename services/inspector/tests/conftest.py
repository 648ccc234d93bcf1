"""The inspector over a real nats-server; the tests play only the runners."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_inspector.app import create_app
from forgesyte_inspector.settings import InspectorSettings
from tests.support import NOW, HandClock, NatsServer, eventually, nats_server


def a_manifest(name: str = "motion", **changes: Any) -> PluginManifest:
    facts = {"name": name, "version": "1.2.3", "description": "sees motion", "capabilities": ("motion",)}
    return PluginManifest(**{**facts, "tools": (ToolManifest(name="detect-motion"),), **changes})


def a_plugin(name: str = "motion", state: str = "INITIALIZED", **changes: Any) -> PluginOnRunner:
    return PluginOnRunner(**{"name": name, "state": PluginState(state), "manifest": a_manifest(name), **changes})


def a_heartbeat(runner_id: str, *plugins: PluginOnRunner, **changes: Any) -> RunnerHeartbeat:
    facts = {"host": "here", "pid": 1, "version": "0.1.0", "started_at": "2025-01-01T00:00:00Z", "slots": 2}
    return RunnerHeartbeat(**{**facts, "runner_id": runner_id, "plugins": plugins, **changes})


@dataclass
class Inspector:
    """A running replica and its parts."""

    http: httpx.AsyncClient
    app: Any
    bus: Bus
    registry: CollectorRegistry

    @property
    def state(self) -> Any:
        return self.app.state.inspector

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def health(self, name: str = "motion") -> Any:
        return await self.get(f"/v1/plugins/{name}/health")

    async def beat(self, runner_id: str = "runner-1", *plugins: PluginOnRunner, **changes: Any) -> RunnerHeartbeat:
        """Let a runner report, and wait until the inspector has heard it."""
        beat = a_heartbeat(runner_id, *(plugins or (a_plugin(),)), **changes)
        await self.bus.runners.beat(beat)
        await eventually(lambda: self.state.roster.living().get(runner_id) == beat)
        return beat

    async def leave(self, runner_id: str) -> None:
        """Let a runner say goodbye, and wait until the inspector has heard it."""
        await self.bus.runners.remove(runner_id)
        await eventually(lambda: runner_id not in self.state.roster.living())

    async def runner_states(self) -> dict[str, str]:
        return {runner["runner_id"]: runner["state"] for runner in await self.get("/v1/runners")}

    async def kept(self, name: str = "motion") -> Any:
        return await self.bus.plugins.read(name)

    async def revision(self, name: str = "motion") -> int:
        value = await self.bus.plugins._bucket.read(name)
        return value.revision if value else 0


@asynccontextmanager
async def running(
    server: NatsServer, *, keys: KeyRing | None = None, clock: Any = None, **settings: Any
) -> AsyncIterator[Inspector]:
    """Run one replica over the given server."""
    made = InspectorSettings(**{"look_every_s": 0.05, **settings})
    registry = CollectorRegistry()
    timing = {"clock": clock} if clock else {}
    async with Bus.connect(server.url, name="inspector-test", **timing) as bus:
        await bus.ensure()
        app = create_app(bus, keys or KeyRing(), made, clock=clock, registry=registry)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://inspector", timeout=60) as http,
        ):
            yield Inspector(http, app, bus, registry)


@pytest.fixture
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as started:
        yield started


@pytest.fixture
async def inspector(server: NatsServer) -> AsyncIterator[Inspector]:
    async with running(server) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_inspector() -> AsyncIterator[Inspector]:
    """A replica like `inspector` for all tests of a module that only ask it something."""
    async with nats_server() as server, running(server) as started:
        yield started


@pytest.fixture
def start(server: NatsServer):
    """Starts replicas with settings of the test's own: `async with start(clock=clock) as inspector`."""
    return lambda **settings: running(server, **settings)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def make():
    """The builders of this module: tests are imported by path, so they cannot import them by name."""
    return SimpleNamespace(NOW=NOW, a_heartbeat=a_heartbeat, a_manifest=a_manifest, a_plugin=a_plugin)

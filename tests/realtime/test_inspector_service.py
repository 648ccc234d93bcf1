"""InspectorService as the seed specifies it, in our terms: over the real bus, with heartbeats sent by the test.

Seed: empty; a plugin appears; name and version extracted; unknown -> None/404; healthy with capabilities; report has
metadata, health, generated_at; all reports.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_inspector.app import create_app
from forgesyte_inspector.service import InspectorService
from forgesyte_inspector.settings import InspectorSettings
from tests.support import eventually, nats_server


@dataclass
class Place:
    """The inspector as in its own process, and the bus on which a runner reports."""

    bus: Bus
    service: InspectorService
    http: httpx.AsyncClient

    async def beat(self, *names: str, version: str = "1.2.3") -> None:
        plugins = tuple(a_plugin(name, version) for name in names)
        await self.bus.runners.beat(
            RunnerHeartbeat(
                runner_id="runner-1", host="h", pid=1, version="0.1.0", started_at="x", slots=1, plugins=plugins
            )
        )
        await eventually(lambda: set(names) <= set(self.service.living()))


def a_plugin(name: str, version: str) -> PluginOnRunner:
    manifest = PluginManifest(
        name=name, version=version, capabilities=("motion", "regions"), tools=(ToolManifest(name="detect"),)
    )
    timings = {"last_execution_time_ms": 7.0, "avg_execution_time_ms": 8.0}
    return PluginOnRunner(name=name, state=PluginState.INITIALIZED, manifest=manifest, **timings)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with nats_server() as server, Bus.connect(server.url, name="inspector-test") as bus:
        await bus.ensure()
        app = create_app(bus, KeyRing(), InspectorSettings(look_every_s=0.05))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inspector") as http,
        ):
            yield Place(bus, app.state.inspector.service, http)


async def test_it_is_empty_at_first(place):
    assert place.service.reports() == []
    assert (await place.http.get("/v1/plugins")).json() == []


async def test_a_plugin_appears_with_its_runner(place):
    await place.beat("motion-detector")

    assert [report.metadata.name for report in place.service.reports()] == ["motion-detector"]
    assert [each["name"] for each in (await place.http.get("/v1/plugins")).json()] == ["motion-detector"]


async def test_name_and_version_are_those_of_the_manifest(place):
    await place.beat("motion-detector", version="2.0.1")

    metadata = place.service.metadata("motion-detector")

    assert (metadata.name, metadata.version) == ("motion-detector", "2.0.1")


async def test_unknown_is_none_and_over_http_404(place):
    await place.beat("motion-detector")

    answers = [getattr(place.service, part)("ghost") for part in ("metadata", "timings", "health", "report")]

    assert answers == [None] * 4
    for path in ("", "/health", "/manifest"):
        assert (await place.http.get(f"/v1/plugins/ghost{path}")).status_code == 404


async def test_a_healthy_plugin_has_its_capabilities(place):
    await place.beat("motion-detector")

    assert place.service.health("motion-detector").state == PluginState.INITIALIZED
    assert place.service.health("motion-detector").reason is None
    assert place.service.metadata("motion-detector").capabilities == ("motion", "regions")


async def test_timings_are_milliseconds_per_frame(place):
    await place.beat("motion-detector")

    timings = place.service.timings("motion-detector")

    assert (timings.last_execution_time_ms, timings.avg_execution_time_ms) == (7.0, 8.0)


async def test_a_report_has_metadata_health_and_the_moment_it_was_made(place):
    await place.beat("motion-detector")

    report = (await place.http.get("/v1/plugins/motion-detector")).json()

    assert set(report) == {"metadata", "health", "timings", "tools", "runners", "generated_at"}
    assert report["metadata"]["name"] == report["health"]["name"] == "motion-detector"
    assert report["generated_at"].endswith("Z")


async def test_all_reports_are_there_in_name_order(place):
    await place.beat("zebra", "ape", "motion-detector")

    assert [report.metadata.name for report in place.service.reports()] == ["ape", "motion-detector", "zebra"]
    assert (await place.http.get("/v1/plugins/")).json()["total"] == 3

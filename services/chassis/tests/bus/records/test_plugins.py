"""The bucket `plugins`, and the word `reload`."""

from datetime import UTC, datetime

import pytest

from forgesyte_chassis.bus import RELOAD, BusUnavailable
from forgesyte_contracts.plugins import KnownPlugin, PluginHealth, PluginManifest, PluginState, ToolManifest
from tests.support import eventually

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)


def a_known(name="motion", state=PluginState.INITIALIZED, **health) -> KnownPlugin:
    manifest = PluginManifest(name=name, version="1.0.0", tools=(ToolManifest(name="t"),))
    facts = PluginHealth(name=name, version="1.0.0", state=state, **health)
    return KnownPlugin(manifest=manifest, health=facts, updated_at=NOW)


async def test_what_was_written_is_read(bus):
    known = a_known(success_count=3, last_used=NOW, reason="x")

    assert await bus.plugins.write(known, revision=0)

    assert await bus.plugins.read("motion") == known
    assert await bus.plugins.read("never") is None


async def test_of_two_writes_with_one_revision_the_first_wins(connect):
    one, other = await connect(), await connect()
    assert await one.plugins.write(a_known(), revision=0)

    assert not await other.plugins.write(a_known(state=PluginState.FAILED), revision=0)

    assert (await one.plugins.read("motion")).health.state == "INITIALIZED"
    assert await other.plugins.write(a_known(state=PluginState.FAILED))
    assert (await one.plugins.read("motion")).health.state == "FAILED"


async def test_view_holds_what_is_there_when_it_begins_and_follows(bus):
    await bus.plugins.write(a_known("one"))
    async with bus.plugins.watch() as view:
        assert view.all() == {"one": a_known("one")}

        await bus.plugins.write(a_known("two"), revision=view.revision("two"))
        await eventually(lambda: set(view.all()) == {"one", "two"})
        assert await bus.plugins.write(a_known("two", PluginState.FAILED), revision=view.revision("two"))
        await eventually(lambda: view.get("two").health.state == "FAILED")
        await bus.plugins.forget("one")
        await eventually(lambda: view.get("one") is None)
        assert await bus.plugins.write(a_known("one"), revision=view.revision("one"))
        await eventually(lambda: view.get("one"))


@pytest.mark.parametrize(
    ("key", "data"),
    [
        pytest.param("motion", b"", id="nothing"),
        pytest.param("motion", b"\xff\x00", id="bytes"),
        pytest.param("motion", b"{}", id="other model"),
        pytest.param("motion", a_known("ocr").model_dump_json().encode(), id="another plugin's"),
        pytest.param("UPPER", a_known("upper").model_dump_json().encode(), id="key that is no name"),
    ],
)
async def test_unreadable_entry_counts_as_missing_and_can_be_overwritten(bus, key, data):
    await bus.plugins._bucket.write(key, data)
    async with bus.plugins.watch() as view:
        assert view.all() == {}
        assert await bus.plugins.read(key) is None

        assert view.revision(key) > 0
        assert await bus.plugins.write(a_known("motion"), revision=view.revision("motion"))
        await eventually(lambda: view.get("motion"))


async def test_health_at_the_edge_of_the_calendar_is_refused_when_it_is_read(bus):
    text = a_known().model_dump_json().replace("2025-01-01T12:00:00.000Z", "0001-01-01T00:00:00+14:00")
    await bus.plugins._bucket.write("motion", text.encode())

    assert await bus.plugins.read("motion") is None


@pytest.mark.slow
async def test_view_goes_on_over_a_killed_server(server, bus):
    await bus.plugins.write(a_known("one"))
    async with bus.plugins.watch() as view:
        await server.restart()
        await bus.wait_connected(60)
        assert view.get("one")

        await bus.plugins.write(a_known("two"))
        await eventually(lambda: view.get("two"))


async def test_reload_reaches_every_runner(connect):
    inspector, runners, heard = await connect(), [await connect(), await connect()], []

    async def hear(name, verb):
        heard.append((name, verb))

    async with runners[0].control.on_plugin(hear), runners[1].control.on_plugin(hear):
        await inspector.control.reload("motion")
        await eventually(lambda: heard == [("motion", RELOAD)] * 2)


async def test_reload_is_not_heard_as_a_word_about_a_job(bus):
    jobs, plugins = [], []

    async def about_a_job(job_id, verb):
        jobs.append((job_id, verb))

    async def about_a_plugin(name, verb):
        plugins.append((name, verb))

    async with bus.control.on_job(about_a_job), bus.control.on_plugin(about_a_plugin):
        await bus.control.reload("motion")
        await eventually(lambda: plugins)

    assert jobs == []


async def test_reload_without_a_connection_is_an_error(server, bus):
    server.kill()
    await eventually(lambda: not bus.is_connected)

    with pytest.raises(BusUnavailable):
        await bus.control.reload("motion")

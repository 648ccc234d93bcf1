"""The bucket `plugins`: what is written, when, by which replica, and what it is good for."""

import asyncio
import json

import pytest

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import SystemClock
from forgesyte_inspector.plugin_memory import PluginMemory
from forgesyte_inspector.plugin_summary import summaries_of
from forgesyte_inspector.settings import InspectorSettings
from tests.support import eventually


@pytest.fixture
def written(inspector):
    """Waits until the bucket holds a plugin in a given state."""

    async def wait(state, name="motion"):
        async def look():
            kept = await inspector.kept(name)
            return kept if kept and kept.health.state == state else None

        return await eventually(look)

    return wait


async def test_plugin_whose_pool_is_at_zero_is_still_known_after_a_restart(start, make):
    async with start() as before:
        await before.beat("runner-1", make.a_plugin(state="RUNNING", success_count=7, uptime_seconds=5))
        await eventually(before.kept)
        await before.leave("runner-1")

    async with start() as after:
        assert await after.get("/v1/runners") == []
        health = await after.health()
        (listed,) = await after.get("/v1/plugins")
        manifest = await after.get("/v1/plugins/motion/manifest")

    assert listed == health
    assert (health["state"], health["version"], health["success_count"]) == ("INITIALIZED", "1.2.3", 7)
    assert (health["runners"], health["uptime_seconds"]) == ([], None)
    assert "No living runner has this plugin" in health["reason"]
    assert manifest == make.a_manifest().model_dump(mode="json")


async def test_broken_plugin_without_runners_keeps_its_state_and_its_reason(start, make):
    async with start() as before:
        await before.beat("runner-1", make.a_plugin(state="UNAVAILABLE", manifest=None, reason="CUDA is missing."))
        await eventually(before.kept)

    async with start() as after:
        await after.leave("runner-1")
        health = await after.health()

    assert health["state"] == "UNAVAILABLE"
    assert health["reason"].startswith("CUDA is missing. No living runner")


async def test_nothing_is_written_when_nothing_changed(start, make):
    async with start(counts_every_s=3600, settle_s=0) as inspector:
        await inspector.beat("runner-1", make.a_plugin(state="INITIALIZED"))
        await eventually(inspector.kept)
        revision = await inspector.revision()

        for state in ("RUNNING", "INITIALIZED", "RUNNING"):
            await inspector.beat("runner-1", make.a_plugin(state=state, success_count=1, uptime_seconds=9))
            await inspector.beat("runner-2", make.a_plugin("other-" + state.lower()))
            await eventually(lambda state=state: inspector.kept("other-" + state.lower()))

        assert await inspector.revision() == revision


async def test_change_of_substance_is_written_at_once(inspector, written, make):
    await inspector.beat()
    await written("INITIALIZED")

    await inspector.beat("runner-1", make.a_plugin(state="FAILED", reason="three sandboxes died"))

    assert (await written("FAILED")).health.reason == "three sandboxes died"


async def test_last_counts_are_written_when_the_last_runner_leaves(start, make):
    async with start(counts_every_s=3600) as inspector:
        await inspector.beat("runner-1", make.a_plugin(success_count=1))
        await eventually(inspector.kept)
        await inspector.beat("runner-1", make.a_plugin(success_count=5))
        before = await inspector.kept()
        assert (await inspector.health())["success_count"] == 5

        await inspector.leave("runner-1")

        async def has_five():
            return (await inspector.kept()).health.success_count == 5

        assert before.health.success_count == 1
        await eventually(has_five)


async def test_counts_alone_are_written_now_and_then(start, clock, make):
    async with start(clock=clock, counts_every_s=30) as inspector:
        await inspector.beat("runner-1", make.a_plugin(success_count=1))
        await eventually(inspector.kept)
        await inspector.beat("runner-1", make.a_plugin(success_count=5))
        await eventually(lambda: inspector.state.service.health("motion").success_count == 5)

        clock.passed_s += 31
        await inspector.beat("runner-1", make.a_plugin(success_count=5))

        async def has_five():
            clock.passed_s += 0.01
            return (await inspector.kept()).health.success_count == 5

        await eventually(has_five)


async def test_replicas_that_see_a_change_at_the_same_moment_write_it_once(server, make):
    async with Bus.connect(server.url, name="test") as bus:
        await bus.ensure()
        async with bus.plugins.watch() as kept:
            memories = [PluginMemory(bus.plugins, kept, SystemClock(), InspectorSettings()) for _ in range(4)]
            for state, revision in (("INITIALIZED", 1), ("FAILED", 2)):
                seen = summaries_of({"r": make.a_heartbeat("r", make.a_plugin(state=state, reason="x"))})

                async with asyncio.TaskGroup() as group:
                    for memory in memories:
                        group.create_task(memory.update(seen, seen))

                assert (await bus.plugins._bucket.read("motion")).revision == revision
                await eventually(lambda revision=revision: kept.revision("motion") == revision)


async def test_replica_that_hears_late_does_not_write_the_past_back(server, make):
    async with Bus.connect(server.url, name="test") as bus:
        await bus.ensure()
        async with bus.plugins.watch() as kept:
            quick, slow = (PluginMemory(bus.plugins, kept, SystemClock(), InspectorSettings()) for _ in range(2))
            past, present = (
                summaries_of({"r": make.a_heartbeat("r", make.a_plugin(state=state, reason="x"))})
                for state in ("INITIALIZED", "FAILED")
            )
            await slow.update(past, past)
            await eventually(lambda: kept.get("motion"))
            await quick.update(present, present)
            await eventually(lambda: kept.get("motion").health.state == "FAILED")

            await slow.update(past, past)

            assert (await bus.plugins.read("motion")).health.state == "FAILED"


async def test_foreign_data_in_a_living_plugins_key_is_replaced_after_a_while(start, clock):
    async with start(clock=clock, settle_s=10) as inspector:
        await inspector.beat()
        await eventually(inspector.kept)
        await inspector.bus.plugins._bucket.write("motion", b"nonsense")
        await eventually(lambda: inspector.state.service._known.get("motion") is None)

        async def is_replaced():
            clock.passed_s += 0.2
            await inspector.beat()
            return await inspector.kept()

        assert (await eventually(is_replaced)).health.state == "INITIALIZED"


async def test_schema_with_numbers_that_json_does_not_know_is_written_once(start, make):
    async with start(settle_s=0) as inspector:
        beat = json.loads(make.a_heartbeat("runner-1", make.a_plugin()).model_dump_json())
        beat["plugins"][0]["manifest"]["tools"][0]["options_schema"] = {"odd": [float("nan"), float("inf")]}
        await inspector.bus.runners._bucket.write("runner-1", json.dumps(beat).encode())
        await eventually(inspector.kept)
        revision = await inspector.revision()

        await inspector.beat("runner-2", make.a_plugin("other"))
        await eventually(lambda: inspector.kept("other"))

        assert await inspector.revision() == revision


async def test_plugin_too_large_for_the_bucket_does_not_hinder_the_others(inspector, make):
    long = {"text": "x" * 300_000}
    tool = make.a_manifest().tools[0].model_copy(update={"options_schema": long, "output_schema": long})
    value = make.a_plugin("huge", manifest=make.a_manifest("huge", tools=(tool,)))
    beats = {"r": make.a_heartbeat("r", value, make.a_plugin("small"))}
    inspector.state.roster._heard_on_bus = lambda: beats  # by hand: no heartbeat could carry it over the bus

    await eventually(lambda: inspector.kept("small"))

    assert await inspector.kept("huge") is None
    assert (await inspector.health("huge"))["state"] == "INITIALIZED"

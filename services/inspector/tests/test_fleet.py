"""/v1/runners, /v1/devices and the metrics: which runners are alive, draining and lost."""

import pytest

from forgesyte_contracts.runners import Device
from tests.support import eventually


def gauges(inspector, name):
    """The samples of a gauge by state, those that are zero left out."""
    samples = next(each for each in inspector.registry.collect() if each.name == name).samples
    return {sample.labels["state"]: sample.value for sample in samples if sample.value}


async def test_runners_are_shown_with_slots_jobs_and_plugins(inspector, make):
    await inspector.beat("b", make.a_plugin("ocr", "FAILED", reason="x"), slots=4, slots_busy=1, jobs=("job-1",))
    await inspector.beat("a", draining=True)

    first, second = await inspector.get("/v1/runners")

    assert (first["runner_id"], first["state"], first["draining"]) == ("a", "draining", True)
    assert second["silent_s"] < 60
    del second["silent_s"]
    assert second == {
        "runner_id": "b",
        "state": "alive",
        "draining": False,
        "host": "here",
        "pid": 1,
        "version": "0.1.0",
        "started_at": "2025-01-01T00:00:00Z",
        "slots": 4,
        "slots_busy": 1,
        "jobs": ["job-1"],
        "plugins": [{"name": "ocr", "state": "FAILED"}],
    }


async def test_devices_are_a_flat_list_with_their_runner(inspector):
    gpu = Device(name="gpu0", kind="gpu", utilisation_ratio=0.5, memory_used_bytes=10, memory_total_bytes=100)
    await inspector.beat("b", devices=(Device(name="cpu", kind="cpu"), gpu))
    await inspector.beat("a")

    devices = await inspector.get("/v1/devices")

    assert [(each["runner_id"], each["name"], each["kind"]) for each in devices] == [
        ("a", "cpu", "cpu"),
        ("b", "cpu", "cpu"),
        ("b", "gpu0", "gpu"),
    ]
    assert devices[0]["utilisation_ratio"] is None
    assert (devices[2]["utilisation_ratio"], devices[2]["memory_used_bytes"]) == (0.5, 10)
    assert devices[2]["memory_total_bytes"] == 100


async def test_silent_runner_is_lost_within_20_seconds(start, clock):
    async with start(clock=clock) as inspector:
        await inspector.beat()
        assert (await inspector.health())["runners"] != []
        clock.passed_s += 7
        assert await inspector.runner_states() == {"runner-1": "alive"}

        clock.passed_s += 2

        assert await inspector.runner_states() == {"runner-1": "lost"}
        assert await inspector.get("/v1/devices") == []
        assert (await inspector.health())["runners"] == []


@pytest.mark.slow
async def test_silent_runner_is_lost_in_real_time_too(inspector):
    await inspector.beat()

    async def is_lost():
        return await inspector.runner_states() == {"runner-1": "lost"}

    await eventually(is_lost, 20)


@pytest.mark.slow
async def test_while_the_bus_is_down_no_plugin_is_shown_as_running_for_longer_than_20_seconds(
    server, start, clock, make
):
    async with start(clock=clock) as inspector:
        await inspector.beat("runner-1", make.a_plugin(state="RUNNING"))
        server.kill()
        await eventually(lambda: not inspector.bus.is_connected)
        assert (await inspector.health())["state"] == "RUNNING"

        clock.passed_s += 20

        health = await inspector.health()
        assert (health["state"], health["runners"]) == ("INITIALIZED", [])
        assert "broker (NATS) cannot be reached" in health["reason"]
        assert await inspector.runner_states() == {"runner-1": "lost"}

        await server.start()
        await inspector.bus.wait_connected(60)
        await inspector.beat("runner-1", make.a_plugin(state="RUNNING"))
        assert (await inspector.health())["state"] == "RUNNING"


async def test_metrics_count_runners_and_plugins_by_state(start, clock, make):
    async with start(clock=clock) as inspector:
        await inspector.beat("silent", make.a_plugin("alone", "RUNNING"))
        assert (await inspector.health("alone"))["state"] == "RUNNING"
        clock.passed_s += 9
        await inspector.beat("one", make.a_plugin("ocr", "FAILED", reason="x"))
        await inspector.beat("two", draining=True)

        await eventually(lambda: gauges(inspector, "forgesyte_inspector_runners").get("draining"))

        runners = next(each for each in inspector.registry.collect() if each.name == "forgesyte_inspector_runners")
        assert {sample.labels["state"] for sample in runners.samples} == {"alive", "draining", "lost"}
        assert gauges(inspector, "forgesyte_inspector_runners") == {"alive": 1, "draining": 1, "lost": 1}
        assert gauges(inspector, "forgesyte_inspector_plugins") == {"FAILED": 1, "INITIALIZED": 2}

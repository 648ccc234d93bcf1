"""A heartbeat fits into one message of the bus, however much broken plugins report."""

from forgesyte_chassis.bus.records.heartbeat_size import SHORT_REASON_CHARS, fitted
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner
from forgesyte_contracts.runners import RunnerHeartbeat


def a_plugin(name: str, state: str = "INITIALIZED", **facts: object) -> PluginOnRunner:
    manifest = {"name": name, "version": "1.0.0", "description": "d" * 2000, "tools": [{"name": "seek"}]}
    return PluginOnRunner(name=name, state=state, manifest=PluginManifest.model_validate(manifest), **facts)


def a_beat(*plugins: PluginOnRunner) -> RunnerHeartbeat:
    facts = {"runner_id": "r", "host": "h", "pid": 1, "version": "1", "started_at": "now", "slots": 1}
    return RunnerHeartbeat(**facts, plugins=plugins)


def size(beat: RunnerHeartbeat) -> int:
    return len(beat.model_dump_json().encode())


def test_a_heartbeat_that_fits_stays_unchanged():
    beat = a_beat(a_plugin("one"), a_plugin("two", "FAILED", reason="r" * 1000))

    assert fitted(beat, max_bytes=size(beat)).heartbeat is beat


def test_long_reasons_go_first():
    beat = a_beat(a_plugin("one"), a_plugin("two", "FAILED", reason="r" * 4000))

    smaller = fitted(beat, max_bytes=size(beat) - 1).heartbeat

    assert len(smaller.plugins[1].reason) == SHORT_REASON_CHARS
    assert all(plugin.manifest for plugin in smaller.plugins)


def test_manifests_of_broken_plugins_go_next_and_those_of_ready_ones_stay():
    beat = a_beat(a_plugin("one"), *(a_plugin(f"b{number}", "FAILED", reason="r" * 4000) for number in range(200)))

    smaller = fitted(beat).heartbeat

    assert size(smaller) <= 512 * 1024
    assert smaller.plugins[0].manifest is not None
    assert len(smaller.plugins) == 201

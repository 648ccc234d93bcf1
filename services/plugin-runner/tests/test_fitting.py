"""A heartbeat fits into one message of the bus, however much broken plugins have to say."""

from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_plugin_runner.fitting import SHORT_REASON_CHARS, fitted


def a_plugin(name: str, state: str = "INITIALIZED", **facts: object) -> PluginOnRunner:
    manifest = {"name": name, "version": "1.0.0", "description": "d" * 2000, "tools": [{"name": "seek"}]}
    return PluginOnRunner(name=name, state=state, manifest=PluginManifest.model_validate(manifest), **facts)


def a_beat(*plugins: PluginOnRunner) -> RunnerHeartbeat:
    facts = {"runner_id": "r", "host": "h", "pid": 1, "version": "1", "started_at": "now", "slots": 1}
    return RunnerHeartbeat(**facts, plugins=plugins)


def size(beat: RunnerHeartbeat) -> int:
    return len(beat.model_dump_json().encode())


def test_a_beat_that_fits_is_left_alone():
    beat = a_beat(a_plugin("one"), a_plugin("two", "FAILED", reason="r" * 1000))

    assert fitted(beat, max_bytes=size(beat)) is beat


def test_long_reasons_go_first():
    beat = a_beat(a_plugin("one"), a_plugin("two", "FAILED", reason="r" * 4000))

    smaller = fitted(beat, max_bytes=size(beat) - 1)

    assert len(smaller.plugins[1].reason) == SHORT_REASON_CHARS
    assert all(plugin.manifest for plugin in smaller.plugins)


def test_then_what_broken_plugins_could_do_and_never_what_ready_ones_can():
    beat = a_beat(a_plugin("one"), *(a_plugin(f"b{number}", "FAILED", reason="r" * 4000) for number in range(200)))

    smaller = fitted(beat)

    assert size(smaller) <= 512 * 1024
    assert smaller.plugins[0].manifest is not None
    assert len(smaller.plugins) == 201

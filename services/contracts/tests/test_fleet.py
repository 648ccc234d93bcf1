"""Which of several runners speaks for a plugin that all of them have."""

import pytest

from forgesyte_contracts.fleet import fleet_plugins
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from forgesyte_contracts.runners import RunnerHeartbeat


def a_runner(runner_id: str, started_at: str, version: str, state: PluginState = PluginState.INITIALIZED):
    manifest = PluginManifest(name="motion", version=version, tools=(ToolManifest(name="detect"),)) if version else None
    plugin = PluginOnRunner(name="motion", state=state, manifest=manifest)
    return RunnerHeartbeat(
        runner_id=runner_id, host="h", pid=1, version="0", started_at=started_at, slots=1, plugins=(plugin,)
    )


def motion(*runners: RunnerHeartbeat):
    return fleet_plugins({runner.runner_id: runner for runner in runners})["motion"]


def test_the_runner_that_started_last_comes_first():
    plugin = motion(a_runner("b", "1", "1.0.0"), a_runner("c", "2", "1.0.0"), a_runner("a", "1", "1.0.0"))

    assert [one.runner_id for one in plugin.newest_first] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("old", "new", "best"),
    [
        (PluginState.RUNNING, PluginState.INITIALIZED, "old"),
        (PluginState.FAILED, PluginState.UNAVAILABLE, "old"),
        (PluginState.INITIALIZED, PluginState.INITIALIZED, "new"),
    ],
)
def test_the_best_state_counts_and_of_equals_the_newest(old, new, best):
    plugin = motion(a_runner("old", "1", "1.0.0", old), a_runner("new", "2", "2.0.0", new))

    assert plugin.best.runner_id == best


@pytest.mark.parametrize(
    ("new_state", "new_version", "shown"),
    [
        (PluginState.INITIALIZED, "2.0.0", "2.0.0"),
        (PluginState.FAILED, "2.0.0", "1.0.0"),
        (PluginState.INITIALIZED, "", "1.0.0"),
    ],
    ids=["the newest", "not that of a broken one", "not one that could not be read"],
)
def test_the_manifest_is_the_newest_that_can_be_used(new_state, new_version, shown):
    plugin = motion(a_runner("old", "1", "1.0.0"), a_runner("new", "2", new_version, new_state))

    assert plugin.manifest is not None
    assert plugin.manifest.version == shown


def test_without_any_runner_there_is_no_plugin():
    assert fleet_plugins({}) == {}

import pytest

from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_launcher.stack.readiness import read_plugins


def a_beat(*states: PluginState) -> RunnerHeartbeat:
    """The heartbeat of a runner whose plugins stand like this, each named for its state."""
    plugins = tuple(PluginOnRunner(name=state.lower(), state=state) for state in states)
    facts = {"host": "h", "pid": 1, "version": "0", "started_at": "x", "slots": 1}
    return RunnerHeartbeat(runner_id="r", plugins=plugins, **facts)


@pytest.mark.parametrize("state", [state for state in PluginState if state is not PluginState.LOADED])
def test_a_plugin_is_read_when_it_is_known_how_it_is(state):
    assert read_plugins(a_beat(state)) == {state.lower()}


def test_a_plugin_that_is_still_being_looked_at_is_not_read():
    """A beat may come in the middle of its look, and `ready` would be said of a server that can not take its jobs."""
    assert read_plugins(a_beat(PluginState.LOADED, PluginState.FAILED)) == {"failed"}

import pytest

from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_launcher.stack.readiness import checked_plugins


def a_beat(*states: PluginState) -> RunnerHeartbeat:
    """The heartbeat of a runner with plugins in these states, each named for its state."""
    plugins = tuple(PluginOnRunner(name=state.lower(), state=state) for state in states)
    facts = {"host": "h", "pid": 1, "version": "0", "started_at": "x", "slots": 1}
    return RunnerHeartbeat(runner_id="r", plugins=plugins, **facts)


@pytest.mark.parametrize("state", [state for state in PluginState if state is not PluginState.LOADED])
def test_a_plugin_is_checked_when_its_state_is_known(state):
    assert checked_plugins(a_beat(state)) == {state.lower()}


def test_a_loaded_plugin_is_not_checked_yet():
    """A heartbeat may be sent during the check; the stack must not be ready before it can run the plugin's jobs."""
    assert checked_plugins(a_beat(PluginState.LOADED, PluginState.FAILED)) == {"failed"}

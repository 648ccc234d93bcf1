"""What the end of a sandbox says about its plugin."""

import pytest

from forgesyte_contracts.plugins import PluginManifest, ToolManifest
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner.plugins.plugin_faults import blame_failure
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome


@pytest.fixture
def registry():
    registry = PluginRegistry()
    manifest = PluginManifest(name="probe", version="1.0.0", tools=(ToolManifest(name="gate"),))
    registry.register(FoundPlugin("probe", "probe:Probe", "probe 1.0.0"), manifest)
    registry.mark_initialized("probe")
    return registry


@pytest.mark.parametrize("start_ms", [None, 5.0])
def test_a_plugin_that_writes_too_much_is_counted_and_stays_available(registry, start_ms):
    outcome = SandboxOutcome(
        False, None, "too much", "DiskLimit", 1.0, "failed", code=Code.DISK_LIMIT, start_ms=start_ms
    )

    for _ in range(5):
        blame_failure(registry, "probe", outcome)

    assert registry.is_available("probe")
    assert registry.get_status("probe").error_count == 5


def test_a_plugin_that_raises_while_it_loads_is_disabled(registry):
    blame_failure(registry, "probe", SandboxOutcome(False, None, "x", "E", 1.0, "failed", code=Code.PLUGIN_ERROR))

    assert not registry.is_available("probe")

import pytest

from forgesyte_contracts.plugins import PluginManifest, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_plugin_runner.discovery import FoundPlugin
from forgesyte_plugin_runner.registry import PluginRegistry

SEEKER = FoundPlugin("seeker", "seeker:Seeker", "seeker 1.0")


def a_manifest(name: str = "seeker") -> PluginManifest:
    return PluginManifest.model_validate({"name": name, "version": "1.0.0", "tools": [{"name": "seek"}]})


def test_a_plugin_is_running_while_a_job_is_on_it_and_ready_again_after_the_last():
    registry = PluginRegistry()
    registry.register(SEEKER, a_manifest())

    with registry.running("seeker"):
        with registry.running("seeker"):
            pass
        assert registry.snapshot()[0].state is PluginState.RUNNING
        assert registry.available() == ["seeker"]

    assert registry.snapshot()[0].state is PluginState.INITIALIZED


@pytest.mark.parametrize("mark", ["mark_failed", "mark_unavailable"])
def test_a_plugin_that_is_not_ready_is_shown_with_its_reason_and_refused_with_it(mark):
    registry = PluginRegistry()
    getattr(registry, mark)(SEEKER, "the model file is missing; put it there")

    (shown,) = registry.snapshot()
    assert shown.reason == "the model file is missing; put it there"
    assert registry.available() == []
    with pytest.raises(ForgeSyteError, match="the model file is missing") as refusal:
        registry.ready("seeker")
    assert refusal.value.code is Code.PLUGIN_UNAVAILABLE


def test_jobs_are_counted():
    registry = PluginRegistry()
    registry.register(SEEKER, a_manifest())

    registry.record_success("seeker")
    registry.record_error("seeker")
    registry.record_error("seeker")

    (shown,) = registry.snapshot()
    assert (shown.success_count, shown.error_count) == (1, 2)

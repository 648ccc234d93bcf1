"""States, counts and times of the plugins, as the heartbeat shows them."""

from datetime import timedelta

import pytest

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.plugins import PluginManifest, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_plugin_runner.plugins.lifecycle import IllegalPluginMove
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from tests.support import NOW, HandClock

SEEKER = FoundPlugin("seeker", "seeker:Seeker", "seeker 1.0")


def a_manifest(name: str = "seeker") -> PluginManifest:
    return PluginManifest.model_validate({"name": name, "version": "1.0.0", "tools": [{"name": "seek"}]})


def ready_registry(clock: Clock | None = None) -> PluginRegistry:
    registry = PluginRegistry(clock)
    registry.register(SEEKER, a_manifest())
    registry.mark_initialized("seeker")
    return registry


def test_a_plugin_is_loaded_until_it_is_found_to_be_ready():
    registry = PluginRegistry()

    registry.register(SEEKER, a_manifest())

    assert registry.get_status("seeker").state is PluginState.LOADED
    assert registry.list_available() == []
    assert registry.get_status("unknown") is None


def test_a_plugin_is_running_while_a_job_is_on_it_and_ready_again_after_the_last():
    registry = ready_registry()

    with registry.mark_running("seeker"):
        with registry.mark_running("seeker"):
            pass
        assert registry.list_all()[0].state is PluginState.RUNNING
        assert registry.list_available() == ["seeker"]

    assert registry.list_all()[0].state is PluginState.INITIALIZED


@pytest.mark.parametrize("mark", ["mark_failed", "mark_unavailable"])
def test_a_plugin_that_is_not_ready_is_shown_with_its_reason_and_refused_with_it(mark):
    registry = PluginRegistry()
    registry.register(SEEKER, a_manifest())
    getattr(registry, mark)("seeker", "the model file is missing; put it there")

    (shown,) = registry.list_all()
    assert shown.reason == (
        "the model file is missing; put it there. Fix this, then reload the plugin or restart the runner"
    )
    assert registry.list_available() == []
    with pytest.raises(ForgeSyteError, match="the model file is missing") as refusal:
        registry.ready("seeker")
    assert refusal.value.code is Code.PLUGIN_UNAVAILABLE


@pytest.mark.parametrize("mark", ["mark_failed", "mark_unavailable"])
def test_only_a_fresh_look_leads_out_of_a_broken_state(mark):
    registry = ready_registry()
    getattr(registry, mark)("seeker", "broken for a test")

    with pytest.raises(IllegalPluginMove):
        registry.mark_initialized("seeker")
    registry.record_success("seeker")
    assert not registry.is_available("seeker")

    registry.register(SEEKER, a_manifest())
    registry.mark_initialized("seeker")
    assert registry.is_available("seeker")
    assert registry.get_status("seeker").reason is None


def test_a_reload_under_a_running_job_leaves_it_running_and_keeps_the_counts():
    registry = ready_registry()
    registry.record_success("seeker")

    with registry.mark_running("seeker"):
        registry.register(SEEKER, a_manifest())
        registry.mark_initialized("seeker")
        assert registry.get_status("seeker").state is PluginState.RUNNING

    shown = registry.get_status("seeker")
    assert (shown.state, shown.success_count) == (PluginState.INITIALIZED, 1)


def test_a_job_that_ends_on_a_plugin_that_failed_meanwhile_changes_nothing_about_that():
    registry = ready_registry()

    with registry.mark_running("seeker"):
        registry.mark_failed("seeker", "broken for a test")

    assert registry.get_status("seeker").state is PluginState.FAILED


def test_jobs_are_counted():
    registry = ready_registry()

    registry.record_success("seeker")
    registry.record_error("seeker")
    registry.record_error("seeker")

    (shown,) = registry.list_all()
    assert (shown.success_count, shown.error_count) == (1, 2)


def test_the_uptime_grows_while_it_is_ready_and_the_last_use_is_the_last_job():
    clock = HandClock()
    registry = ready_registry(clock)
    clock.passed_s = 5.0
    with registry.mark_running("seeker"):
        clock.passed_s = 7.0
    clock.passed_s = 9.0

    shown = registry.get_status("seeker")

    assert shown.uptime_seconds == 9.0
    assert shown.last_used == NOW + timedelta(seconds=7)
    registry.mark_failed("seeker", "broken for a test")
    assert registry.get_status("seeker").uptime_seconds is None


def test_each_state_says_since_when_it_holds():
    clock = HandClock()
    registry = PluginRegistry(clock)
    registry.register(SEEKER, a_manifest())
    clock.passed_s = 3.0
    registry.mark_initialized("seeker")
    began = [registry.get_status("seeker").state_since]
    clock.passed_s = 5.0
    with registry.mark_running("seeker"), registry.mark_running("seeker"):
        clock.passed_s = 8.0
        began.append(registry.get_status("seeker").state_since)
    clock.passed_s = 9.0
    registry.mark_failed("seeker", "broken for a test")
    clock.passed_s = 11.0
    began.append(registry.get_status("seeker").state_since)

    assert began == [NOW + timedelta(seconds=at) for at in (3, 5, 9)]


def test_the_time_of_a_frame_is_the_last_and_the_mean_of_the_last_ten():
    registry = ready_registry()

    for elapsed_ms in (1000.0, *range(1, 11)):
        registry.record_frame("seeker", float(elapsed_ms))
    for lie in (float("nan"), float("inf"), -1.0):
        registry.record_frame("seeker", lie)

    shown = registry.get_status("seeker")
    assert (shown.last_execution_time_ms, shown.avg_execution_time_ms) == (10.0, 5.5)


def crash(registry: PluginRegistry, number: int, *, media: str | None = None) -> str | None:
    return registry.record_crash(
        "seeker", input_id=media or f"media-{number}", job_id=f"job-{number}", what="the sandbox was killed by SIGSEGV"
    )


def test_the_third_death_with_another_input_disables_the_plugin_and_names_the_jobs():
    registry = ready_registry()

    assert [crash(registry, 1), crash(registry, 2)] == [None, None]
    reason = crash(registry, 3)

    shown = registry.get_status("seeker")
    assert shown.state is PluginState.FAILED
    assert shown.reason == reason
    for words in ("3 jobs with different inputs", "job-1", "job-2", "job-3", "SIGSEGV", "10 minutes", "reload"):
        assert words in reason
    assert crash(registry, 4) is None


def test_one_input_that_kills_again_and_again_is_one_death():
    registry = ready_registry()

    assert [crash(registry, number, media="the same") for number in range(9)] == [None] * 9
    assert registry.is_available("seeker")


def test_a_success_between_and_deaths_long_ago_do_not_count():
    clock = HandClock()
    registry = ready_registry(clock)
    crash(registry, 1)
    crash(registry, 2)
    registry.record_success("seeker")
    assert [crash(registry, 3), crash(registry, 4)] == [None, None]

    clock.passed_s = 601.0

    assert [crash(registry, 5), crash(registry, 6)] == [None, None]
    assert registry.is_available("seeker")

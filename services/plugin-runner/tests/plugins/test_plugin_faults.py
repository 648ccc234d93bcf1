"""What a job that was found to be to blame says about its plugin."""

from datetime import UTC, datetime

from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest, PluginState, ToolManifest
from forgesyte_plugin_runner.plugins.plugin_faults import blame_claimed
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from tests.support import HandClock

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def a_failed_job(job_id: str, code: str = "PLUGIN_CRASH", plugin: str = "seeker") -> JobRecord:
    facts = {"created_at": NOW, "updated_at": NOW, "status": "failed", "error_code": code, "error_message": "it fell"}
    return JobRecord(job_id=job_id, plugin_id=plugin, tools=("seek",), **facts)


def a_registry() -> PluginRegistry:
    registry = PluginRegistry(HandClock())
    manifest = PluginManifest(name="seeker", version="1.0.0", tools=(ToolManifest(name="seek"),))
    registry.register(FoundPlugin("seeker", "seeker:Seeker", "seeker"), manifest)
    registry.mark_initialized("seeker")
    return registry


def test_three_jobs_that_killed_their_runner_are_their_plugin_s_fault():
    registry = a_registry()

    blame_claimed(registry, a_failed_job("one"))
    blame_claimed(registry, a_failed_job("two"))
    before = registry.is_available("seeker")
    blame_claimed(registry, a_failed_job("three"))

    assert before
    assert registry.get_status("seeker").state is PluginState.FAILED


def test_other_failures_and_unknown_plugins_say_nothing():
    registry = a_registry()

    for job_id in ("one", "two", "three"):
        blame_claimed(registry, a_failed_job(job_id, "ATTEMPTS_EXHAUSTED"))
        blame_claimed(registry, a_failed_job(job_id, plugin="unknown"))

    assert registry.is_available("seeker")

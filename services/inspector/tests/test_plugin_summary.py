"""What living runners report about a plugin, summed up."""

from datetime import UTC, datetime, timedelta

import pytest

from forgesyte_contracts.plugins import Permissions, PluginState, SandboxPolicy
from forgesyte_inspector.plugin_summary import at_rest, summaries_of, without_living

BEST_FIRST = ["RUNNING", "INITIALIZED", "LOADED", "FAILED", "UNAVAILABLE"]


@pytest.fixture
def summary(make):
    """Sums up one plugin from what each runner has."""

    def build(*plugins, **by_runner):
        beats = {f"runner-{n}": make.a_heartbeat(f"runner-{n}", each) for n, each in enumerate(plugins, 1)}
        beats |= {runner: make.a_heartbeat(runner, *facts[:-1], **facts[-1]) for runner, facts in by_runner.items()}
        return summaries_of(beats)["motion"]

    return build


@pytest.mark.parametrize("best", range(5))
def test_state_is_the_best_of_the_living_and_the_reason_belongs_to_it(summary, make, best):
    began = datetime(2026, 1, 1, tzinfo=UTC)
    plugins = [
        make.a_plugin(state=state, state_since=began + timedelta(seconds=number), reason=f"why {state}")
        for number, state in enumerate(reversed(BEST_FIRST[best:]))
    ]

    health = summary(*plugins).health

    assert health.state == BEST_FIRST[best]
    assert all(row.state_since == plugin.state_since for row, plugin in zip(health.runners, plugins, strict=True))
    assert health.reason == f"why {BEST_FIRST[best]}"
    assert [(row.runner_id, row.state, row.reason) for row in health.runners] == [
        (f"runner-{n}", state, f"why {state}") for n, state in enumerate(reversed(BEST_FIRST[best:]), 1)
    ]


def test_policy_is_that_of_the_best_runner_and_a_word_on_each(summary, make):
    walled, degraded = SandboxPolicy(word="walled", landlock_abi=4), SandboxPolicy(word="degraded")
    asked = Permissions(read=("/maps",))
    plugin = make.a_plugin(manifest=make.a_manifest(permissions=asked))
    broken = make.a_plugin(state="FAILED", reason="broken")

    health = summary(a=(broken, {"policy": degraded}), b=(plugin, {"policy": walled}), c=(broken, {})).health

    assert (health.policy, health.permissions) == (walled, asked)
    assert [row.policy for row in health.runners] == ["degraded", "walled", None]
    assert (at_rest(health).policy, at_rest(health).permissions) == (None, asked)


def test_counts_are_summed_and_a_negative_one_is_nothing(summary, make):
    plugins = [make.a_plugin(success_count=3, error_count=-5), make.a_plugin(success_count=4, error_count=2)]

    health = summary(*plugins).health

    assert (health.success_count, health.error_count) == (7, 2)


def test_times_come_from_the_runner_that_used_it_last_and_uptime_from_the_longest(summary, make):
    old = make.a_plugin(
        last_used=make.NOW, uptime_seconds=90.0, last_execution_time_ms=100.0, avg_execution_time_ms=90.0
    )
    new = make.a_plugin(
        last_used=make.NOW + timedelta(seconds=1),
        uptime_seconds=0.0,
        last_execution_time_ms=3.14159,
        avg_execution_time_ms=2.71828,
    )

    health = summary(old, new, make.a_plugin()).health

    assert (health.last_execution_time_ms, health.avg_execution_time_ms) == (3.1, 2.7)
    assert health.last_used == make.NOW + timedelta(seconds=1)
    assert health.uptime_seconds == 90.0


def test_uptime_of_a_plugin_that_is_ready_just_now_is_zero_and_not_unknown(summary, make):
    assert summary(make.a_plugin(uptime_seconds=0.0)).health.uptime_seconds == 0.0


def test_manifest_is_that_of_the_runner_that_started_last_among_those_that_can_use_it(summary, make):
    old, new, broken = (
        make.a_plugin(manifest=make.a_manifest(version=version)) for version in ("1.0.0", "2.0.0", "3.0.0")
    )
    broken = broken.model_copy(update={"state": PluginState.FAILED})

    shown = summary(a=(old, {"started_at": "1"}), b=(new, {"started_at": "2"}), c=(broken, {"started_at": "3"}))

    assert shown.manifest.version == shown.health.version == "2.0.0"


def test_manifest_that_no_runner_could_read_leaves_the_version_open(summary, make):
    shown = summary(make.a_plugin(state="FAILED", manifest=None, reason="version: 'one' is no SemVer"))

    assert shown.manifest is None
    assert (shown.health.version, shown.health.description) == (None, "")


def test_broken_plugin_without_a_reason_gets_one_that_says_what_to_do(summary, make):
    reason = summary(make.a_plugin(state="UNAVAILABLE", reason=None)).health.reason

    assert "runner-1" in reason
    assert "reload" in reason
    assert summary(make.a_plugin(state="INITIALIZED", reason="")).health.reason is None


def test_at_rest_nothing_remains_that_only_a_living_runner_has(summary, make):
    rested = at_rest(summary(make.a_plugin(state="RUNNING", uptime_seconds=5.0, success_count=2)).health)

    assert (rested.state, rested.uptime_seconds, rested.runners) == ("INITIALIZED", None, ())
    assert rested.success_count == 2


def test_without_living_runners_the_old_reason_stays_in_front(summary, make):
    health = summary(make.a_plugin(state="FAILED", reason="No module named 'x'.")).health

    assert without_living(health, "No runner has it.").reason == "No module named 'x'. No runner has it."
    assert without_living(health, "No runner has it.").state == "FAILED"

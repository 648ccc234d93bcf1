"""Sums up what the living runners report about a plugin, and what remains true of one that no runner has.

Pure functions: no clock, no bus. A number that belongs to one runner (the time of its last frame) is taken from the
runner that used the plugin last; a mean over runners would mix old frames with new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginHealth, PluginManifest, PluginOnRunner, PluginRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PluginSummary:
    """One plugin over all living runners."""

    health: PluginHealth
    manifest: PluginManifest | None


@dataclass(frozen=True, slots=True)
class _Report:
    """What one runner reports about a plugin."""

    runner_id: str
    started_at: str
    plugin: PluginOnRunner


def summaries_of(living: Mapping[str, RunnerHeartbeat]) -> dict[PluginName, PluginSummary]:
    """Return a summary of each plugin, from the heartbeats of the living runners by runner id."""
    reports: dict[PluginName, list[_Report]] = {}
    for runner_id, beat in living.items():
        for plugin in beat.plugins:
            reports.setdefault(PluginName(plugin.name), []).append(_Report(runner_id, beat.started_at, plugin))
    return {name: _summary(name, of_plugin) for name, of_plugin in reports.items()}


def at_rest(health: PluginHealth) -> PluginHealth:
    """Return the health without what only a living runner has: RUNNING, the uptime and the runners themselves."""
    state = PluginState.INITIALIZED if health.state is PluginState.RUNNING else health.state
    return health.model_copy(update={"state": state, "uptime_seconds": None, "runners": ()})


def without_living(health: PluginHealth, why: str) -> PluginHealth:
    """Return the last known health of a plugin that no living runner has; `why` is added to its reason."""
    reason = why if health.reason is None else f"{health.reason} {why}"
    return at_rest(health).model_copy(update={"reason": reason})


def _summary(name: PluginName, reports: list[_Report]) -> PluginSummary:
    # The runner that started last comes first: during a rollout it has the new version.
    newest_first = sorted(reports, key=lambda report: (report.started_at, report.runner_id), reverse=True)
    best = min(newest_first, key=lambda report: report.plugin.state.rank)
    manifest = _manifest(newest_first)
    plugins = [report.plugin for report in reports]
    uptimes = [plugin.uptime_seconds for plugin in plugins if plugin.uptime_seconds is not None]
    last = max(plugins, key=lambda plugin: plugin.last_used or _LONG_AGO)
    health = PluginHealth(
        name=name,
        version=manifest.version if manifest else None,
        description=manifest.description if manifest else "",
        state=best.plugin.state,
        reason=_reason(best),
        uptime_seconds=_tenths(max(uptimes, default=None)),
        last_used=last.last_used,
        success_count=sum(max(plugin.success_count, 0) for plugin in plugins),
        error_count=sum(max(plugin.error_count, 0) for plugin in plugins),
        last_execution_time_ms=_tenths(last.last_execution_time_ms),
        avg_execution_time_ms=_tenths(last.avg_execution_time_ms),
        runners=tuple(
            PluginRunner(runner_id=report.runner_id, state=report.plugin.state, reason=report.plugin.reason)
            for report in sorted(reports, key=lambda report: report.runner_id)
        ),
    )
    return PluginSummary(health, manifest)


def _manifest(newest_first: Sequence[_Report]) -> PluginManifest | None:
    usable_first = sorted(newest_first, key=lambda report: report.plugin.state.is_broken)
    return next((report.plugin.manifest for report in usable_first if report.plugin.manifest is not None), None)


def _reason(best: _Report) -> str | None:
    if best.plugin.reason or not best.plugin.state.is_broken:
        return best.plugin.reason or None
    return f"Runner {best.runner_id} gave no reason. Check its log, fix the problem it names, then reload the plugin."


def _tenths(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 1)

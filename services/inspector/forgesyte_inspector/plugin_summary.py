"""Sums up what the living runners report about a plugin, and what remains true of one that no runner has.

Pure functions: no clock, no bus. A number that belongs to one runner (the time of its last frame) is taken from the
runner that used the plugin last; a mean over runners would mix old frames with new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from forgesyte_contracts.fleet import FleetPlugin, OnRunner, fleet_plugins
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import Permissions, PluginHealth, PluginManifest, PluginRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PluginSummary:
    """One plugin over all living runners."""

    health: PluginHealth
    manifest: PluginManifest | None


def summaries_of(living: Mapping[str, RunnerHeartbeat]) -> dict[PluginName, PluginSummary]:
    """Return a summary of each plugin, from the heartbeats of the living runners by runner id."""
    return {name: _summary(name, plugin) for name, plugin in fleet_plugins(living).items()}


def at_rest(health: PluginHealth) -> PluginHealth:
    """Return the health without what only a living runner has: RUNNING, the uptime and the runners themselves."""
    state = PluginState.INITIALIZED if health.state is PluginState.RUNNING else health.state
    return health.model_copy(update={"state": state, "uptime_seconds": None, "policy": None, "runners": ()})


def without_living(health: PluginHealth, why: str) -> PluginHealth:
    """Return the last known health of a plugin that no living runner has; `why` is added to its reason."""
    reason = why if health.reason is None else f"{health.reason} {why}"
    return at_rest(health).model_copy(update={"reason": reason})


def _summary(name: PluginName, fleet: FleetPlugin) -> PluginSummary:
    best, manifest = fleet.best, fleet.manifest
    plugins = [one.plugin for one in fleet.newest_first]
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
        permissions=manifest.permissions if manifest else Permissions(),
        policy=best.runner.policy,
        runners=tuple(
            PluginRunner(
                runner_id=one.runner_id,
                state=one.plugin.state,
                state_since=one.plugin.state_since,
                reason=one.plugin.reason,
                policy=one.runner.policy.word if one.runner.policy else None,
            )
            for one in sorted(fleet.newest_first, key=lambda one: one.runner_id)
        ),
    )
    return PluginSummary(health, manifest)


def _reason(best: OnRunner) -> str | None:
    if best.plugin.reason or not best.plugin.state.is_broken:
        return best.plugin.reason or None
    return f"Runner {best.runner_id} gave no reason. Check its log, fix the problem it names, then reload the plugin."


def _tenths(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 1)

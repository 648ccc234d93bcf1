"""Sums up what the living runners say of a plugin, and what may still be said of one that no runner has.

Pure functions: no clock, no bus. A number that belongs to one runner (the time of the last frame) is taken from the
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
    """One plugin as all living runners together have it."""

    health: PluginHealth
    manifest: PluginManifest | None


@dataclass(frozen=True, slots=True)
class _Word:
    """What one runner says."""

    runner_id: str
    started_at: str
    plugin: PluginOnRunner


def pictures_of(living: Mapping[str, RunnerHeartbeat]) -> dict[PluginName, PluginSummary]:
    """Sum up the living runners, given by their ids."""
    words: dict[PluginName, list[_Word]] = {}
    for runner_id, beat in living.items():
        for plugin in beat.plugins:
            words.setdefault(PluginName(plugin.name), []).append(_Word(runner_id, beat.started_at, plugin))
    return {name: _picture(name, said) for name, said in words.items()}


def at_rest(health: PluginHealth) -> PluginHealth:
    """Take away what only a living runner can say: RUNNING, the uptime and the runners themselves."""
    state = PluginState.INITIALIZED if health.state is PluginState.RUNNING else health.state
    return health.model_copy(update={"state": state, "uptime_seconds": None, "runners": ()})


def without_living(health: PluginHealth, why: str) -> PluginHealth:
    """Give what was last known of a plugin that no living runner has; `why` goes behind the reason it had."""
    reason = why if health.reason is None else f"{health.reason} {why}"
    return at_rest(health).model_copy(update={"reason": reason})


def _picture(name: PluginName, said: list[_Word]) -> PluginSummary:
    # The runner that started last comes first: during a rollout it is the one that has the new version.
    newest_first = sorted(said, key=lambda word: (word.started_at, word.runner_id), reverse=True)
    best = min(newest_first, key=lambda word: word.plugin.state.rank)
    manifest = _manifest(newest_first)
    plugins = [word.plugin for word in said]
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
            PluginRunner(runner_id=word.runner_id, state=word.plugin.state, reason=word.plugin.reason)
            for word in sorted(said, key=lambda word: word.runner_id)
        ),
    )
    return PluginSummary(health, manifest)


def _manifest(newest_first: Sequence[_Word]) -> PluginManifest | None:
    usable_first = sorted(newest_first, key=lambda word: word.plugin.state.is_broken)
    return next((word.plugin.manifest for word in usable_first if word.plugin.manifest is not None), None)


def _reason(best: _Word) -> str | None:
    if best.plugin.reason or not best.plugin.state.is_broken:
        return best.plugin.reason or None
    return f"Runner {best.runner_id} gave no reason. Look at its log, mend what it names, then reload the plugin."


def _tenths(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 1)

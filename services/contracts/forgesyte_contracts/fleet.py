"""A plugin as all living runners together have it: which of them speaks for it, and whose manifest is valid.

job-api, the inspector and the gateway all read the runners' heartbeats; this is the one place that says which of
several heartbeats counts, so that no two services show a plugin differently. Pure: no clock, no bus.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .ids import PluginName
from .plugins import PluginManifest, PluginOnRunner
from .runners import RunnerHeartbeat


@dataclass(frozen=True, slots=True)
class OnRunner:
    """A plugin in one living runner."""

    runner_id: str
    runner: RunnerHeartbeat
    plugin: PluginOnRunner


@dataclass(frozen=True, slots=True)
class FleetPlugin:
    """A plugin in all living runners that have it.

    Attributes:
        newest_first: at least one; the runner that started last comes first, because during a rollout it has the new
            version.
    """

    newest_first: tuple[OnRunner, ...]

    @property
    def best(self) -> OnRunner:
        """The runner with the best state; of equals the one that started last."""
        return min(self.newest_first, key=lambda one: one.plugin.state.rank)

    @property
    def manifest(self) -> PluginManifest | None:
        """The manifest of the runner that started last among those that can run the plugin, else of any."""
        usable_first = sorted(self.newest_first, key=lambda one: one.plugin.state.is_broken)
        return next((one.plugin.manifest for one in usable_first if one.plugin.manifest is not None), None)


def fleet_plugins(living: Mapping[str, RunnerHeartbeat]) -> dict[PluginName, FleetPlugin]:
    """Group what the living runners, given by their ids, say of their plugins."""
    found: dict[PluginName, list[OnRunner]] = {}
    for runner_id, runner in sorted(living.items(), key=lambda item: (item[1].started_at, item[0]), reverse=True):
        for plugin in runner.plugins:
            found.setdefault(PluginName(plugin.name), []).append(OnRunner(runner_id, runner, plugin))
    return {name: FleetPlugin(tuple(runners)) for name, runners in found.items()}

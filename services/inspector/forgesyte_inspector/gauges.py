"""The inspector's metrics: how many runners and plugins are in each state."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from forgesyte_contracts.http.runners import RunnerState
from forgesyte_contracts.plugins import PluginState


class Gauges:
    """Gauges that are set regularly; every state is always present, so that none reads as 0 and not as missing.

    Args:
        registry: where they are registered; each application needs its own.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runners = Gauge(
            "forgesyte_inspector_runners",
            "Runners by state; a lost one counts until it is forgotten",
            ["state"],
            registry=registry,
        )
        self._plugins = Gauge(
            "forgesyte_inspector_plugins",
            "Plugins by state; the last known state where no runner has the plugin",
            ["state"],
            registry=registry,
        )
        self.show((), ())

    def show(self, runners: Iterable[RunnerState], plugins: Iterable[PluginState]) -> None:
        """Set the gauges to the states of this moment."""
        runner_counts, plugin_counts = Counter(runners), Counter(plugins)
        for runner_state in RunnerState:
            self._runners.labels(runner_state.value).set(runner_counts[runner_state])
        for plugin_state in PluginState:
            self._plugins.labels(plugin_state.value).set(plugin_counts[plugin_state])

"""The inspector's metrics: how many runners and plugins stand in which state."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from forgesyte_contracts.http.runners import RunnerState
from forgesyte_contracts.plugins import PluginState


class Gauges:
    """Set at each look; every state is always there, so that a zero is a zero and not an absence.

    Args:
        registry: where they are counted; one application a registry.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runners = Gauge(
            "forgesyte_inspector_runners",
            "Runners by state; lost ones until they are forgotten",
            ["state"],
            registry=registry,
        )
        self._plugins = Gauge(
            "forgesyte_inspector_plugins",
            "Plugins by state, the last known one where no runner lives",
            ["state"],
            registry=registry,
        )
        self.show((), ())

    def show(self, runners: Iterable[RunnerState], plugins: Iterable[PluginState]) -> None:
        """Show the states of this moment."""
        runner_counts, plugin_counts = Counter(runners), Counter(plugins)
        for runner_state in RunnerState:
            self._runners.labels(runner_state.value).set(runner_counts[runner_state])
        for plugin_state in PluginState:
            self._plugins.labels(plugin_state.value).set(plugin_counts[plugin_state])

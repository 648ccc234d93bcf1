"""Reports on plugins: metadata, timings, health, and all of them together.

Every answer is made from memory at the moment it is requested, without waiting: while the bus is down, answers are
older and mention it, but never fail. A plugin is unknown only when no living runner has it, none has had it since this
process started, and the bucket `plugins` does not hold it.
"""

from collections.abc import Callable, Mapping

from forgesyte_chassis.bus import PluginView
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.http.plugins import PluginMetadata, PluginReport, PluginTimings
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginHealth

from .answers import metadata_of
from .plugin_summary import PluginSummary, summaries_of, without_living
from .roster import Roster

_NO_RUNNER = (
    "No living runner has this plugin, so its jobs wait. Start a runner that has it, or check the log of the one that "
    "should be running."
)
_NO_BUS = "The message broker (NATS) cannot be reached, so this is the last known state; check the broker's log."


class InspectorService:
    """The state of each plugin.

    Args:
        roster: the runners.
        known: the content of the bucket `plugins`.
        clock: for the moment a report is made.
        is_connected: returns whether the bus is connected.
    """

    def __init__(self, roster: Roster, known: PluginView, clock: Clock, *, is_connected: Callable[[], bool]) -> None:
        self._roster = roster
        self._known = known
        self._clock = clock
        self._is_connected = is_connected
        self._last: dict[PluginName, PluginSummary] = {}

    @property
    def seen(self) -> Mapping[PluginName, PluginSummary]:
        """Each plugin as it was when a living runner last had it, as far as this process has seen."""
        return self._last

    def living(self) -> dict[PluginName, PluginSummary]:
        """Return each plugin that a living runner has."""
        current = summaries_of(self._roster.living())
        self._last |= current
        return current

    def metadata(self, name: str) -> PluginMetadata | None:
        """Return what the plugin's manifest says; None when the plugin is unknown."""
        report = self.report(name)
        return report.metadata if report else None

    def timings(self, name: str) -> PluginTimings | None:
        """Return how long the plugin's frames take; None when the plugin is unknown."""
        report = self.report(name)
        return report.timings if report else None

    def health(self, name: str) -> PluginHealth | None:
        """Return the plugin's health; None when the plugin is unknown."""
        summary = self.summaries().get(PluginName(name))
        return summary.health if summary else None

    def report(self, name: str) -> PluginReport | None:
        """Return everything about one plugin; None when it is unknown."""
        summary = self.summaries().get(PluginName(name))
        return self._report(summary) if summary else None

    def reports(self) -> list[PluginReport]:
        """Return everything about every plugin, ordered by name."""
        return [self._report(summary) for summary in self.summaries().values()]

    def summaries(self) -> dict[PluginName, PluginSummary]:
        """Return every plugin, including those that no living runner has, ordered by name."""
        living = self.living()
        remembered = {name: PluginSummary(known.health, known.manifest) for name, known in self._known.all().items()}
        why = _NO_RUNNER if self._is_connected() else _NO_BUS
        # What this process has seen itself is never older than what was stored.
        absent = {
            name: PluginSummary(without_living(summary.health, why), summary.manifest)
            for name, summary in (remembered | self._last).items()
            if name not in living
        }
        return dict(sorted((living | absent).items()))

    def _report(self, summary: PluginSummary) -> PluginReport:
        health, manifest = summary.health, summary.manifest
        return PluginReport(
            metadata=metadata_of(health.name, manifest),
            health=health,
            timings=PluginTimings(
                last_execution_time_ms=health.last_execution_time_ms,
                avg_execution_time_ms=health.avg_execution_time_ms,
                latency_budget_ms=manifest.latency_budget_ms if manifest else None,
            ),
            tools=manifest.tools if manifest else (),
            runners=health.runners,
            generated_at=self._clock.now(),
        )

"""Answers for plugins: metadata, timings, health, and all of it as a report.

Every answer is made at the moment it is asked for, from memory, without waiting for anybody: a bus that is away makes
the answer older and makes it say so, never an error. A plugin is unknown only when no living runner has it, none had
it since this process started, and the bucket `plugins` does not hold it.
"""

from collections.abc import Callable, Mapping

from forgesyte_chassis.bus import PluginView
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.http.plugins import PluginMetadata, PluginReport, PluginTimings
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginHealth

from .answers import metadata_of
from .plugin_summary import PluginSummary, pictures_of, without_living
from .roster import Roster

_NOBODY_HAS_IT = (
    "No runner that has it lives at the moment; its jobs wait. Start one that has it, or look at the log of the one "
    "that should be there."
)
_BUS_IS_AWAY = "The bus can not be reached, so this is what was last known of it; look at the bus's log."


class InspectorService:
    """How each plugin is.

    Args:
        roster: the runners.
        known: what the bucket `plugins` holds.
        clock: for the moment a report was made.
        is_connected: whether the bus is there.
    """

    def __init__(self, roster: Roster, known: PluginView, clock: Clock, *, is_connected: Callable[[], bool]) -> None:
        self._roster = roster
        self._known = known
        self._clock = clock
        self._is_connected = is_connected
        self._last: dict[PluginName, PluginSummary] = {}

    @property
    def seen(self) -> Mapping[PluginName, PluginSummary]:
        """Each plugin as it was when a living runner had it last, as far as this process saw it."""
        return self._last

    def living(self) -> dict[PluginName, PluginSummary]:
        """Give each plugin that a living runner has."""
        current = pictures_of(self._roster.living())
        self._last |= current
        return current

    def metadata(self, name: str) -> PluginMetadata | None:
        """What the plugin says of itself; None when it is unknown."""
        report = self.report(name)
        return report.metadata if report else None

    def timings(self, name: str) -> PluginTimings | None:
        """How long its frames take; None when it is unknown."""
        report = self.report(name)
        return report.timings if report else None

    def health(self, name: str) -> PluginHealth | None:
        """How it is; None when it is unknown."""
        picture = self.pictures().get(PluginName(name))
        return picture.health if picture else None

    def report(self, name: str) -> PluginReport | None:
        """Everything about one plugin; None when it is unknown."""
        picture = self.pictures().get(PluginName(name))
        return self._report(picture) if picture else None

    def reports(self) -> list[PluginReport]:
        """Everything about every plugin, in name order."""
        return [self._report(picture) for picture in self.pictures().values()]

    def pictures(self) -> dict[PluginName, PluginSummary]:
        """Every plugin, the ones that no living runner has too, in name order."""
        living = self.living()
        remembered = {name: PluginSummary(known.health, known.manifest) for name, known in self._known.all().items()}
        why = _NOBODY_HAS_IT if self._is_connected() else _BUS_IS_AWAY
        # What this process saw itself is never older than what was written down of it.
        absent = {
            name: PluginSummary(without_living(picture.health, why), picture.manifest)
            for name, picture in (remembered | self._last).items()
            if name not in living
        }
        return dict(sorted((living | absent).items()))

    def _report(self, picture: PluginSummary) -> PluginReport:
        health, manifest = picture.health, picture.manifest
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

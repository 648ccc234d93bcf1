"""Stores the last known state of each plugin, so that the plugin is still known when no runner has it.

Every replica does this, and all produce the same text, so they only have to keep out of each other's way. A change of
substance (version, state, reason, manifest) is written as soon as it is seen, with compare-and-set: one replica wins
and the others find it written. Counts and times change with every job; they are written now and then, and once more
when the last runner leaves. A difference whose beginning this process did not see is left alone for a while: another
replica may have heard something newer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from forgesyte_chassis.bus import BusUnavailable, PluginTable, PluginUnwritable, PluginView
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import KnownPlugin

from .plugin_summary import PluginSummary, at_rest
from .settings import InspectorSettings

log = structlog.get_logger(__name__)

_COUNTS = {"success_count", "error_count", "last_used", "last_execution_time_ms", "avg_execution_time_ms"}


@dataclass(frozen=True, slots=True)
class _Page:
    """One plugin as the bucket would store it. Compared as text, because NaN in a schema never equals itself."""

    known: KnownPlugin
    whole: str
    substance: str


def _page(known: KnownPlugin) -> _Page:
    whole = known.model_dump_json(exclude={"updated_at"})
    return _Page(known, whole, known.model_dump_json(exclude={"updated_at": True, "health": _COUNTS}))


class PluginMemory:
    """Keeps the bucket `plugins` up to date.

    Args:
        table: writes to the bucket.
        stored: the present content of the bucket.
        clock: for ages and the moment of a write.
        settings: how long a difference may last.
    """

    def __init__(self, table: PluginTable, stored: PluginView, clock: Clock, settings: InspectorSettings) -> None:
        self._table = table
        self._stored = stored
        self._clock = clock
        self._settings = settings
        self._last: dict[PluginName, _Page] = {}
        self._differs_since_s: dict[PluginName, float] = {}

    async def update(
        self, living: Mapping[PluginName, PluginSummary], seen: Mapping[PluginName, PluginSummary]
    ) -> None:
        """Compare each plugin that a living runner has with the bucket, and write the changes that are due.

        Args:
            living: the plugins that a living runner has.
            seen: each plugin as it was when a living runner last had it, those in `living` included.

        Raises:
            BusUnavailable: the bus is down; unwritten changes stay due.
        """
        before, self._last = self._last, {name: self._page(summary) for name, summary in living.items()}
        for name, page in self._last.items():
            await self._write_if_due(name, page, before.get(name))
        for name in before.keys() - self._last.keys():
            self._differs_since_s.pop(name, None)
            page, stored = self._page(seen[name]), self._stored_page(name)
            if stored is None or stored.whole != page.whole:
                await self._write(name, page)

    def _page(self, summary: PluginSummary) -> _Page:
        now = self._clock.now()
        return _page(KnownPlugin(manifest=summary.manifest, health=at_rest(summary.health), updated_at=now))

    def _stored_page(self, name: PluginName) -> _Page | None:
        known = self._stored.get(name)
        return None if known is None else _page(known)

    async def _write_if_due(self, name: PluginName, page: _Page, before: _Page | None) -> None:
        stored = self._stored_page(name)
        if stored is not None and stored.whole == page.whole:
            self._differs_since_s.pop(name, None)
            return
        now_s = self._clock.monotonic_s()
        for_s = now_s - self._differs_since_s.setdefault(name, now_s)
        differs_in_counts_only = stored is not None and stored.substance == page.substance
        if differs_in_counts_only:
            is_due, by_force = for_s >= self._settings.counts_every_s, False
        elif before is None or before.substance != page.substance:
            is_due, by_force = True, False
        else:
            # It lost a race, or could not be written, or the key holds something that has no revision to compare with.
            is_due, by_force = for_s >= self._settings.settle_s, True
        if is_due:
            self._differs_since_s[name] = now_s
            await self._write(name, page, by_force=by_force)

    async def _write(self, name: PluginName, page: _Page, *, by_force: bool = False) -> None:
        try:
            if await self._table.write(page.known, revision=None if by_force else self._stored.revision(name)):
                log.debug("plugin stored", plugin=name, state=page.known.health.state.value)
        except PluginUnwritable as refusal:
            # Only this plugin: its manifest may exceed what the bus accepts.
            log.warning("plugin not stored", plugin=name, reason=refusal.detail)
        except BusUnavailable:
            log.info("plugin not stored, the bus is down", plugin=name)
            raise

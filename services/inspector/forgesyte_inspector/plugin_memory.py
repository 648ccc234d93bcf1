"""Writes down what was last known of each plugin, so that it is still known when no runner has it.

Every replica does this, and all come to the same text, so they only have to keep out of each other's way. A change of
substance (version, state, reason, manifest) is written as soon as it is seen, with compare-and-set: of all replicas one
wins and the others find it done. Counts and times change with every job and are written now and then, and once more
when the last runner leaves. A difference that this process did not see begin is left alone for a while: it may be that
somebody else already heard what we did not.
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
    """One plugin as it would stand in the bucket. As text, because NaN in a schema equals nothing, not even itself."""

    known: KnownPlugin
    whole: str
    substance: str


def _page(known: KnownPlugin) -> _Page:
    whole = known.model_dump_json(exclude={"updated_at"})
    return _Page(known, whole, known.model_dump_json(exclude={"updated_at": True, "health": _COUNTS}))


class PluginMemory:
    """Keeps the bucket `plugins` true.

    Args:
        table: writes the bucket.
        kept: what it holds.
        clock: ages, and the moment of a write.
        settings: how long a difference may stand.
    """

    def __init__(self, table: PluginTable, kept: PluginView, clock: Clock, settings: InspectorSettings) -> None:
        self._table = table
        self._kept = kept
        self._clock = clock
        self._settings = settings
        self._last: dict[PluginName, _Page] = {}
        self._differs_since_s: dict[PluginName, float] = {}

    async def round(self, living: Mapping[PluginName, PluginSummary], seen: Mapping[PluginName, PluginSummary]) -> None:
        """Compare each plugin that a living runner has with the bucket, and write what is due.

        Args:
            living: the plugins that a living runner has.
            seen: each plugin as it was when a living runner had it last; what is in `living` is in here too.

        Raises:
            BusUnavailable: the bus is away; what was not written is due again in the next rounds.
        """
        before, self._last = self._last, {name: self._rest(picture) for name, picture in living.items()}
        for name, page in self._last.items():
            await self._keep(name, page, before.get(name))
        for name in before.keys() - self._last.keys():
            self._differs_since_s.pop(name, None)
            page, kept = self._rest(seen[name]), self._page_kept(name)
            if kept is None or kept.whole != page.whole:
                await self._write(name, page)

    def _rest(self, picture: PluginSummary) -> _Page:
        now = self._clock.now()
        return _page(KnownPlugin(manifest=picture.manifest, health=at_rest(picture.health), updated_at=now))

    def _page_kept(self, name: PluginName) -> _Page | None:
        known = self._kept.get(name)
        return None if known is None else _page(known)

    async def _keep(self, name: PluginName, page: _Page, before: _Page | None) -> None:
        kept = self._page_kept(name)
        if kept is not None and kept.whole == page.whole:
            self._differs_since_s.pop(name, None)
            return
        now_s = self._clock.monotonic_s()
        for_s = now_s - self._differs_since_s.setdefault(name, now_s)
        differs_in_counts_only = kept is not None and kept.substance == page.substance
        if differs_in_counts_only:
            is_due, by_force = for_s >= self._settings.counts_every_s, False
        elif before is None or before.substance != page.substance:
            is_due, by_force = True, False
        else:
            # It lost a race, or could not be written, or the key holds something without a revision we could expect.
            is_due, by_force = for_s >= self._settings.settle_s, True
        if is_due:
            self._differs_since_s[name] = now_s
            await self._write(name, page, by_force=by_force)

    async def _write(self, name: PluginName, page: _Page, *, by_force: bool = False) -> None:
        try:
            if await self._table.write(page.known, revision=None if by_force else self._kept.revision(name)):
                log.debug("plugin written down", plugin=name, state=page.known.health.state.value)
        except PluginUnwritable as refusal:
            # This one alone: its manifest may be larger than the bus takes.
            log.warning("plugin not written down", plugin=name, reason=refusal.detail)
        except BusUnavailable:
            log.info("plugin not written down, the bus is away", plugin=name)
            raise

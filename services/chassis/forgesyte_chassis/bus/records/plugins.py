"""The last known state of each plugin: the bucket that remembers a plugin after all its runners are gone.

All replicas of the inspector write the same content, so a write that lost a race needs no repair: the winner's content
is right. An unreadable entry counts as missing; it is logged once and overwritten when a runner has the plugin again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pydantic import ValidationError

from forgesyte_chassis.bus.connection.connection import Connection
from forgesyte_chassis.bus.errors import ApiRefusal, BusUnavailable
from forgesyte_contracts.ids import PluginName, is_name
from forgesyte_contracts.plugins import KnownPlugin
from forgesyte_contracts.streams import PLUGINS

from .bucket_feed import Entry
from .bucket_view import keeping_current
from .buckets import BucketStore

log = structlog.get_logger(__name__)


class PluginUnwritable(BusUnavailable):
    """The message broker answered, and refused this plugin's entry; those of other plugins may still be written."""


class PluginView:
    """The current content of the bucket; kept up to date while `PluginTable.watch` is open."""

    def __init__(self) -> None:
        self._known: dict[PluginName, KnownPlugin] = {}
        self._revisions: dict[PluginName, int] = {}

    def all(self) -> dict[PluginName, KnownPlugin]:
        """Return all known plugins by name."""
        return dict(self._known)

    def get(self, name: PluginName) -> KnownPlugin | None:
        """Return what is known about one plugin."""
        return self._known.get(name)

    def revision(self, name: PluginName) -> int:
        """Return the last seen revision of the key, 0 if it was never seen."""
        return self._revisions.get(name, 0)

    def take(self, entry: Entry) -> None:
        """Take in one entry of the bucket."""
        name = PluginName(entry.key)
        self._revisions[name] = 0 if entry.is_missing else entry.revision
        known = None if entry.data is None else _read(name, entry.data)
        if known is None:
            self._known.pop(name, None)
        else:
            self._known[name] = known


class PluginTable:
    """The bucket `plugins`."""

    def __init__(self, connection: Connection) -> None:
        self._bucket = BucketStore(connection, PLUGINS.name)

    async def read(self, name: PluginName) -> KnownPlugin | None:
        """Return the leader's entry; None if there is none or it is unreadable. Raises BusUnavailable."""
        value = await self._bucket.read(name)
        return None if value is None else _read(name, value.data)

    async def write(self, known: KnownPlugin, *, revision: int | None = None) -> bool:
        """Write what is known about a plugin.

        Args:
            known: its name is the key.
            revision: the revision the key must still have, 0 for "never written"; None writes unconditionally.

        Returns:
            False if another writer was first; nothing was written then.

        Raises:
            PluginUnwritable: the message broker refuses this value, for example because it is too large.
            BusUnavailable: no acknowledgement; the value may be written.
        """
        try:
            await self._bucket.write(known.health.name, known.model_dump_json().encode(), expected=revision)
        except ApiRefusal as refusal:
            if refusal.is_lost_race:
                return False
            raise PluginUnwritable(refusal.detail) from refusal
        return True

    async def forget(self, name: PluginName) -> None:
        """Remove a plugin's entry, whatever it says. Raises BusUnavailable."""
        await self._bucket.remove(name)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[PluginView]:
        """Keep a view of the bucket; it is complete when the block begins.

        Raises:
            BusUnavailable: the bucket could not be read at the start.
        """
        view = PluginView()
        async with keeping_current(view.take, self._bucket.connection, PLUGINS.name):
            yield view


def _read(name: PluginName, data: bytes) -> KnownPlugin | None:
    try:
        known = KnownPlugin.model_validate_json(data)
    except ValidationError as error:
        log.warning("known plugin unreadable", plugin=name, faults=error.error_count())
        return None
    if not is_name(name) or known.health.name != name:
        log.warning("known plugin under another name", key=name, plugin=known.health.name)
        return None
    return known

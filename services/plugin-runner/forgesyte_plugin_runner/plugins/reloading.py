"""Loads a plugin again on request: besides a restart, the one way out of FAILED and UNAVAILABLE.

A request on the bus is only noted; loading happens in a task of its own, one plugin at a time. Running jobs are
untouched: they have sandboxes of their own. Loaded sandboxes of the plugin end, those with a job after it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.bus import RELOAD
from forgesyte_contracts.ids import PluginName, is_name
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin, find_plugins

from .loading import PluginLoader

log = structlog.get_logger(__name__)

MAX_WAITING = 100
"""Requests that wait for their turn; more are dropped, and the caller sees that nothing changed."""


@dataclass(slots=True)
class Reloader:
    """Takes the requests and reloads the plugins.

    Attributes:
        loader: loads a plugin and registers the result.
        only: the plugins this runner offers; empty for every installed one.
        retire: called to end a plugin's loaded sandboxes.
        on_ready: awaited for a plugin that is ready after loading.
        on_done: called after each reload.
    """

    loader: PluginLoader
    only: Collection[str]
    retire: Callable[[str], None]
    on_ready: Callable[[FoundPlugin], Awaitable[None]]
    on_done: Callable[[], None]
    _asked: dict[PluginName, None] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, name: PluginName, verb: str) -> None:
        """Note a request about a plugin; requests about plugins this runner does not offer are ignored."""
        is_offered = is_name(name) and (not self.only or name in self.only)
        if verb != RELOAD or not is_offered or len(self._asked) >= MAX_WAITING:
            return
        self._asked[name] = None
        self._wake.set()

    async def run(self) -> None:
        """Reload what was requested until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._asked:
                name = next(iter(self._asked))
                del self._asked[name]
                await self._reload(name)

    async def _reload(self, name: PluginName) -> None:
        self.loader.dependencies.forget()
        (found,) = await asyncio.to_thread(find_plugins, (name,))
        if not found.distribution and self.loader.registry.get_status(name) is None:
            return
        log.info("plugin reloading", plugin=name)
        is_ready = await self.loader.load(found)
        # Right after loading, without a pause: a sandbox loaded meanwhile may hold the old plugin.
        self.retire(name)
        if is_ready:
            await self.on_ready(found)
        self.on_done()

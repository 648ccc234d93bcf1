"""Looks at a plugin anew when somebody asks for it: the one way out of FAILED and UNAVAILABLE beside a restart.

A word on the bus is only noted here; the look takes its time in a task of its own, one plugin after the other. Jobs
that run are untouched: they have sandboxes of their own. Loaded sandboxes of the plugin end, those with a job after it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from forgesyte_chassis.bus import RELOAD
from forgesyte_contracts.ids import PluginName, is_name
from forgesyte_plugin_runner.workplace import Workplace
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin, find_plugins

from .loading import load_plugin

log = structlog.get_logger(__name__)

MAX_WAITING = 100
"""Words that wait for their turn; what comes above is dropped, and whoever said it sees that nothing changed."""


class Reloader:
    """Takes the words and does the looks.

    Args:
        place: the runner's connections and its registry.
        on_ready: awaited for a plugin that is ready after its look.
        on_done: called after each look.
    """

    def __init__(
        self, place: Workplace, on_ready: Callable[[FoundPlugin], Awaitable[None]], on_done: Callable[[], None]
    ) -> None:
        self._place = place
        self._on_ready = on_ready
        self._on_done = on_done
        self._asked: dict[PluginName, None] = {}
        self._wake = asyncio.Event()

    async def ask(self, name: PluginName, verb: str) -> None:
        """Note a word about a plugin; words about plugins that this runner does not offer are left alone."""
        only = self._place.settings.plugins
        if verb != RELOAD or not is_name(name) or (only and name not in only) or len(self._asked) >= MAX_WAITING:
            return
        self._asked[name] = None
        self._wake.set()

    async def run(self) -> None:
        """Do what was asked for until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._asked:
                name = next(iter(self._asked))
                del self._asked[name]
                await self._reload(name)

    async def _reload(self, name: PluginName) -> None:
        self._place.dependencies.forget()
        (found,) = await asyncio.to_thread(find_plugins, (name,))
        if not found.distribution and self._place.registry.get_status(name) is None:
            return
        log.info("plugin reloads", plugin=name)
        is_ready = await load_plugin(self._place, found)
        # After the look and in one go with it: what was loaded while it took place may have been of before.
        if self._place.warm is not None:
            self._place.warm.retire(name)
        if is_ready:
            await self._on_ready(found)
        self._on_done()

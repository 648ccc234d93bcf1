"""Forgets, when the one-box run starts, the plugins that were uninstalled since the last run on its data folder.

The bucket `plugins` remembers a plugin that no runner offers, because its pool may be scaled to zero. With runners on
many machines this cannot be distinguished from an uninstalled plugin, so there the plugin stays known. A one-box run
has one runner, with this environment: a plugin that is not installed here is not installed anywhere.
"""

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_sandbox.parent.installed_plugins import find_plugins

log = structlog.get_logger(__name__)


async def forget_uninstalled(bus: Bus) -> None:
    """Remove plugins that are not installed from the bucket `plugins`; an installed one that is not offered stays.

    Raises:
        BusUnavailable: the bus is unavailable.
    """
    installed = {plugin.name for plugin in find_plugins()}
    async with bus.plugins.watch() as known:
        gone = known.all().keys() - installed
    for name in sorted(gone):
        await bus.plugins.forget(name)
        log.info("plugin forgotten, it is no longer installed", plugin=name)

"""Plugins that were uninstalled since the last run on this data folder are forgotten when everything starts.

The bucket `plugins` remembers a plugin that no runner has, because its pool may be at zero. Who has runners on many
machines can not tell that from an uninstalled one: a plugin stays known there. Here there is one runner, on this
machine and with this environment, so what is not installed here is nowhere.
"""

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_sandbox.parent.installed_plugins import find_plugins

log = structlog.get_logger(__name__)


async def forget_uninstalled(bus: Bus) -> None:
    """Take out of the bucket `plugins` what is not installed; one that is installed and not offered stays.

    Raises:
        BusUnavailable: the bus is away.
    """
    installed = {plugin.name for plugin in find_plugins()}
    async with bus.plugins.watch() as known:
        gone = known.all().keys() - installed
    for name in sorted(gone):
        await bus.plugins.forget(name)
        log.info("plugin forgotten, it is no longer installed", plugin=name)

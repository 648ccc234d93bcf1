"""The queue's consumers, one per plugin and kind of device, created as soon as a runner offers the plugin.

Runners create them too when they pull; here they are created even for a pool that is about to scale up from zero.
"""

import asyncio

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.problems import ForgeSyteError

from .catalog import Catalog

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 1.0


async def keep_consumers(bus: Bus, catalog: Catalog) -> None:
    """Check the runners once a second until cancelled, and create consumers for new plugins and devices."""
    made: set[tuple[str, str]] = set()
    while True:
        wanted = {(name, device) for name, offer in catalog.observe().items() for device in offer.devices}
        for plugin, device in sorted(wanted - made):
            try:
                await bus.work.ensure_consumer(plugin, device)
            except ForgeSyteError as error:
                log.warning("consumer not created, trying again", plugin=plugin, device=device, error=str(error))
                break
            made.add((plugin, device))
        await asyncio.sleep(_LOOK_EVERY_S)

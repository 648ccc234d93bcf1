"""For which plugins, on which devices, this runner pulls work."""

from collections.abc import Callable
from dataclasses import dataclass

from forgesyte_chassis.bus import BusUnavailable, WorkQueue
from forgesyte_chassis.waiting import retry
from forgesyte_contracts.runners import CPU, GPU
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin

from .attempt.attempt import Attempt
from .devices.devices import DeviceMonitor
from .devices.placement import devices_for
from .plugins.registry import PluginRegistry
from .pulling import WorkPuller
from .suspects.suspect_pulling import SuspectPuller

_RETRY_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class PluginOffers:
    """Starts and stops pulling for plugins.

    Attributes:
        plugins, devices: what this runner has.
        work: the queue that has a consumer for each plugin and device.
        puller: pulls for what is offered.
        on_offer: called before a plugin is pulled for.
    """

    plugins: PluginRegistry
    devices: DeviceMonitor
    work: WorkQueue
    puller: WorkPuller[Attempt] | SuspectPuller[Attempt]
    on_offer: Callable[[], None]

    async def offer(self, plugin: FoundPlugin) -> None:
        """Pull for a plugin that is ready, on every suitable device, as soon as the bus has its consumers."""
        _, manifest = self.plugins.ready(plugin.name)
        offered = devices_for(manifest, self.devices.kinds)
        for device in offered:
            await self._ensure_consumer(plugin.name, device)
        self.on_offer()
        for device in (CPU, GPU):
            if device in offered:
                self.puller.offer(plugin.name, device)
            else:
                self.puller.withdraw(plugin.name, device)

    async def _ensure_consumer(self, plugin: str, device: str) -> None:
        ensure = self.work.ensure_consumer
        await retry(lambda: ensure(plugin, device), on=BusUnavailable, every_s=_RETRY_EVERY_S)

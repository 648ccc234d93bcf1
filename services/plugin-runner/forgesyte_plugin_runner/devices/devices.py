"""The devices of this machine as the heartbeat shows them: the cpu by psutil, NVIDIA's GPUs by their own library.

Measured in a task of its own and in a thread, because a driver may hang: the heartbeat takes the last figures, and
figures that are too old are shown as unknown, never as true.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import psutil
import structlog

from forgesyte_contracts.runners import CPU, Device
from forgesyte_contracts.streams import HEARTBEAT_EVERY_S

from .nvidia import Nvidia

log = structlog.get_logger(__name__)

STALE_AFTER_S = 5 * HEARTBEAT_EVERY_S
FIRST_LOOK_LIMIT_S = 5.0


class Gpus(Protocol):
    """What measures GPUs; Nvidia does, a test's fake may. Its calls may block."""

    def devices(self) -> list[Device]:
        """Each GPU with its figures."""

    def memory_by_pid(self) -> dict[int, int]:
        """Bytes of GPU memory each process holds."""


def cpu_device() -> Device:
    """The processor: its utilisation since the last call, and the machine's memory."""
    memory = psutil.virtual_memory()
    return Device(
        name=CPU,
        kind=CPU,
        utilisation_ratio=round(min(max(psutil.cpu_percent(interval=None) / 100, 0.0), 1.0), 3),
        memory_used_bytes=memory.total - memory.available,
        memory_total_bytes=memory.total,
    )


@dataclass(slots=True)
class DeviceMonitor:
    """Measures again and again.

    Attributes:
        gpus: what measures GPUs.
        monotonic: seconds that never jump.
    """

    monotonic: Callable[[], float]
    gpus: Gpus = field(default_factory=Nvidia)
    _devices: tuple[Device, ...] = (Device(name=CPU, kind=CPU),)
    _memory_by_pid: dict[int, int] = field(default_factory=dict)
    _measured_s: float = float("-inf")

    @property
    def devices(self) -> tuple[Device, ...]:
        """Every device, with the figures of the last look."""
        if self.monotonic() - self._measured_s <= STALE_AFTER_S:
            return self._devices
        return tuple(Device(name=device.name, kind=device.kind) for device in self._devices)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of device there are."""
        return frozenset(device.kind for device in self._devices)

    @property
    def gpu_memory_by_pid(self) -> dict[int, int]:
        """Bytes of GPU memory each process held at the last look."""
        return self._memory_by_pid if self.monotonic() - self._measured_s <= STALE_AFTER_S else {}

    async def look(self) -> None:
        """Measure once."""
        self._devices, self._memory_by_pid = await asyncio.to_thread(self._measure)
        self._measured_s = self.monotonic()

    async def first_look(self) -> None:
        """Measure before the first job; a driver that hangs does not keep the runner from starting."""
        try:
            async with asyncio.timeout(FIRST_LOOK_LIMIT_S):
                await self.look()
        except TimeoutError:
            log.warning("devices do not answer", limit_s=FIRST_LOOK_LIMIT_S)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(HEARTBEAT_EVERY_S)

    def _measure(self) -> tuple[tuple[Device, ...], dict[int, int]]:
        return (cpu_device(), *self.gpus.devices()), self.gpus.memory_by_pid()

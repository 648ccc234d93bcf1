"""The devices of this machine as the heartbeat shows them: the cpu from psutil, NVIDIA's GPUs from their own library.

Measured by a task of its own and in a thread, because a driver may hang: the heartbeat takes the latest figures, and
figures that are too old are shown as unknown, never as current.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import psutil
import structlog

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.runners import CPU, Device
from forgesyte_contracts.streams import HEARTBEAT_EVERY_S

from .nvidia import Nvidia

log = structlog.get_logger(__name__)

STALE_AFTER_S = 5 * HEARTBEAT_EVERY_S
FIRST_MEASUREMENT_LIMIT_S = 5.0


class Gpus(Protocol):
    """What measures GPUs: Nvidia, or a test's fake. Its calls may block."""

    def devices(self) -> list[Device]:
        """Return each GPU with its figures."""

    def memory_by_pid(self) -> dict[int, int]:
        """Return the bytes of GPU memory each process holds."""


def cpu_device() -> Device:
    """Return the processor with its utilisation since the last call, and the machine's memory."""
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
    """Measures periodically.

    Attributes:
        clock: the runner's.
        gpus: what measures GPUs.
    """

    clock: Clock
    gpus: Gpus = field(default_factory=Nvidia)
    _devices: tuple[Device, ...] = (Device(name=CPU, kind=CPU),)
    _memory_by_pid: dict[int, int] = field(default_factory=dict)
    _measured_s: float = float("-inf")

    @property
    def devices(self) -> tuple[Device, ...]:
        """Every device with its latest figures."""
        if self.clock.monotonic_s() - self._measured_s <= STALE_AFTER_S:
            return self._devices
        return tuple(Device(name=device.name, kind=device.kind) for device in self._devices)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of device this machine has."""
        return frozenset(device.kind for device in self._devices)

    @property
    def gpu_memory_by_pid(self) -> dict[int, int]:
        """Bytes of GPU memory each process held at the last measurement."""
        return self._memory_by_pid if self.clock.monotonic_s() - self._measured_s <= STALE_AFTER_S else {}

    async def measure(self) -> None:
        """Measure once."""
        self._devices, self._memory_by_pid = await asyncio.to_thread(self._read_all)
        self._measured_s = self.clock.monotonic_s()

    async def measure_first(self) -> None:
        """Measure before the first job; a hanging driver does not keep the runner from starting."""
        try:
            async with asyncio.timeout(FIRST_MEASUREMENT_LIMIT_S):
                await self.measure()
        except TimeoutError:
            log.warning("devices not responding", limit_s=FIRST_MEASUREMENT_LIMIT_S)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.measure()
            await asyncio.sleep(HEARTBEAT_EVERY_S)

    def _read_all(self) -> tuple[tuple[Device, ...], dict[int, int]]:
        return (cpu_device(), *self.gpus.devices()), self.gpus.memory_by_pid()

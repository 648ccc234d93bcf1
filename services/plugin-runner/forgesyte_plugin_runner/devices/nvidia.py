"""NVIDIA's GPUs, read through nvidia-ml-py, an extra that only machines with such a GPU need.

Without the library, a driver or a GPU there are simply no GPUs. A GPU that stops answering is shown without figures: it
is known to exist, but not how it is doing.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import structlog

from forgesyte_contracts.runners import GPU, Device

log = structlog.get_logger(__name__)

_LIBRARY = "pynvml"


class Nvidia:
    """Asks the driver. The calls block; one thread at a time.

    Args:
        load: returns the module; tests pass their own.
    """

    def __init__(self, load: Callable[[], Any] = lambda: import_module(_LIBRARY)) -> None:
        self._load = load
        self._nvml: Any = None
        self._handles: list[tuple[str, Any]] | None = None

    def devices(self) -> list[Device]:
        """Return each GPU as `cuda:<index>` with utilisation and memory."""
        return [self._device(name, handle) for name, handle in self._open()]

    def memory_by_pid(self) -> dict[int, int]:
        """Return the bytes of GPU memory each process holds, over all GPUs."""
        held: dict[int, int] = {}
        for _, handle in self._open():
            for process in self._ask("nvmlDeviceGetComputeRunningProcesses", handle) or ():
                held[process.pid] = held.get(process.pid, 0) + (process.usedGpuMemory or 0)
        return held

    def _open(self) -> list[tuple[str, Any]]:
        if self._handles is None:
            self._handles = self._find()
        return self._handles

    def _find(self) -> list[tuple[str, Any]]:
        try:
            nvml = self._load()
        except ImportError:
            return []
        try:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
            handles = [(f"cuda:{index}", nvml.nvmlDeviceGetHandleByIndex(index)) for index in range(count)]
        except nvml.NVMLError as fault:
            log.info("no GPU found", reason=str(fault))
            return []
        self._nvml = nvml
        return handles

    def _device(self, name: str, handle: object) -> Device:
        used = self._ask("nvmlDeviceGetUtilizationRates", handle)
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        return Device(
            name=name,
            kind=GPU,
            utilisation_ratio=None if used is None else min(max(used.gpu / 100, 0.0), 1.0),
            memory_used_bytes=None if memory is None else int(memory.used),
            memory_total_bytes=None if memory is None else int(memory.total),
        )

    def _ask(self, question: str, handle: object) -> Any:  # noqa: ANN401 - the library has no types
        """Ask the driver; what it cannot tell (old cards, containers, a card that dropped out) is None."""
        try:
            return getattr(self._nvml, question)(handle)
        except self._nvml.NVMLError:
            return None

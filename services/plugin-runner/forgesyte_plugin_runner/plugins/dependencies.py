"""Checks what a plugin's manifest says it needs before a job finds out: packages, a GPU, model files.

Runs after the manifest was read and takes precedence over validate(): "the package x is missing" helps more than the
error that follows from it. Nothing is imported here, and everything missing is named at once, with its remedy.
"""

import asyncio
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from forgesyte_contracts.plugins import ModelFile, PluginManifest, Requires
from forgesyte_contracts.runners import GPU, Device
from forgesyte_plugin_runner.devices.gpucheck import GpuCheck

from .modelfiles import fault_of

MODEL_LIMIT_S = 120.0


@dataclass(slots=True)
class DependencyChecker:
    """Reports what a plugin lacks on this machine.

    Attributes:
        gpu: checks whether a GPU can be used; tests pass their own.
    """

    gpu: GpuCheck = field(default_factory=GpuCheck)

    def forget(self) -> None:
        """Check everything again next time: something may have been installed since."""
        importlib.invalidate_caches()
        self.gpu.forget()

    async def missing(self, manifest: PluginManifest, devices: Sequence[Device] = ()) -> str | None:
        """Return everything that is missing and what to do about it; None when nothing is.

        Args:
            manifest: what the plugin says it needs.
            devices: this machine's, with the memory of its GPUs where known.
        """
        requires = manifest.requires
        faults = [f"the package {name} is not installed; install it" for name in requires.packages if not has(name)]
        if requires.gpu:
            faults.append(await self.gpu.fault() or _small_gpu(requires, devices) or "")
        faults += await asyncio.gather(*(_model_fault(model) for model in requires.models))
        return ". ".join(fault for fault in faults if fault) or None


def has(package: str) -> bool:
    """Whether a package (an import name, dots allowed) can be imported. Imports nothing, not even its parents."""
    path: Sequence[str] | None = None
    parts = package.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        specs = (finder.find_spec(name, path) for finder in sys.meta_path)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or ())
    return True


async def _model_fault(model: ModelFile) -> str:
    try:
        async with asyncio.timeout(MODEL_LIMIT_S):
            return await asyncio.to_thread(fault_of, model) or ""
    except TimeoutError:
        return f"the model file {model.path} could not be read within {MODEL_LIMIT_S:g} s; check its disk"


def _small_gpu(requires: Requires, devices: Sequence[Device]) -> str | None:
    known = [device.memory_total_bytes for device in devices if device.kind == GPU and device.memory_total_bytes]
    needed = requires.gpu_memory_bytes
    if needed is None or not known or max(known) >= needed:
        return None
    return (
        f"it needs a GPU with {needed >> 20} MiB of memory and the largest here has {max(known) >> 20} MiB; "
        "use a machine with a larger one"
    )

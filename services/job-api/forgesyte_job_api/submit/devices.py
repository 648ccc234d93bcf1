"""Chooses the kind of device a job runs on when it is submitted, while the client can still be given a reason.

What counts is what living runners offer for the plugin, not the hardware of this machine. A plugin can use a GPU when
its manifest says that it needs one (`requires.gpu`) or how much GPU memory it takes (`requires.gpu_memory_bytes`);
sending any other plugin to a free GPU would block it for those that can use it.
"""

from dataclasses import dataclass

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.runners import CPU, GPU
from forgesyte_job_api.catalog import Offer


@dataclass(frozen=True, slots=True)
class ChosenDevice:
    """The kind of device a job is sent to; `fallback_reason` says why it is not the one that its plugin prefers."""

    kind: str
    fallback_reason: str | None = None


def choose_device(offer: Offer, requested: str) -> ChosenDevice:
    """Choose the kind of device for a job.

    Args:
        offer: its plugin, as the runners offer it.
        requested: `auto`, `cpu` or `gpu`. auto means the GPU if the plugin can use one and a living runner offers it on
            one, else the CPU.

    Raises:
        ForgeSyteError: PLUGIN_UNAVAILABLE when the plugin cannot run on the requested kind; the detail gives the reason
            and names the kinds that are available.
    """
    manifest = offer.manifest
    needs_gpu = manifest is not None and manifest.requires.gpu
    possible = offer.devices & {GPU} if needs_gpu else offer.devices
    if requested != "auto":
        if requested in possible:
            return ChosenDevice(requested)
        raise _not_there(offer, requested, possible, needs_gpu=needs_gpu)
    if needs_gpu:
        return ChosenDevice(GPU)
    wants_gpu = _can_use_gpu(manifest)
    if wants_gpu and offer.is_living and GPU in possible:
        return ChosenDevice(GPU)
    # If no CPU was ever offered, the job waits for the device that was, not for a pool that does not exist.
    kind = CPU if CPU in possible or not possible else min(possible)
    return ChosenDevice(kind, _why_not(offer, GPU) if wants_gpu and kind == CPU else None)


def _can_use_gpu(manifest: PluginManifest | None) -> bool:
    return manifest is not None and (manifest.requires.gpu or manifest.requires.gpu_memory_bytes is not None)


def _not_there(offer: Offer, requested: str, possible: frozenset[str], *, needs_gpu: bool) -> ForgeSyteError:
    why = "it needs a GPU" if needs_gpu and requested == CPU else _why_not(offer, requested)
    found = ", ".join(sorted(possible)) or "no device"
    text = (
        f"device {requested} was requested, but plugin {offer.name} can run on {found}: {why}; use one of these or auto"
    )
    return ForgeSyteError(Code.PLUGIN_UNAVAILABLE, text, plugin=offer.name)


def _why_not(offer: Offer, kind: str) -> str:
    said = offer.refusals.get(kind)
    if said is not None:
        return f"its state on runners with a {kind} is {said}"
    return f"no living runner offers it on a {kind}"

"""On which kind of device a job is to run, chosen when it is submitted: by then somebody can still be told.

Judged by what living runners offer for the plugin, not by what the machine here has. A plugin can use a GPU when its
manifest says that it needs one (`requires.gpu`) or how much of its memory it takes (`requires.gpu_memory_bytes`);
sending any other to a GPU because one is free would keep it from those that can.
"""

from dataclasses import dataclass

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.runners import CPU, GPU
from forgesyte_job_api.catalog import Offer


@dataclass(frozen=True, slots=True)
class ChosenDevice:
    """The kind of device a job is sent to; `fallback_reason` says why it is not the one its plugin would rather use."""

    kind: str
    fallback_reason: str | None = None


def choose_device(offer: Offer, requested: str) -> ChosenDevice:
    """Choose the kind of device for a job.

    Args:
        offer: its plugin, as the runners offer it.
        requested: `auto`, `cpu` or `gpu`. auto is the GPU where the plugin can use one and a living runner has one for
            it, else the cpu.

    Raises:
        ForgeSyteError: PLUGIN_UNAVAILABLE when the kind asked for does not exist for this plugin; the detail gives the
            reason and says what there is instead.
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
    # Where no cpu was ever offered the job waits for what was, not for a pool that nobody has.
    kind = CPU if CPU in possible or not possible else min(possible)
    return ChosenDevice(kind, _why_not(offer, GPU) if wants_gpu and kind == CPU else None)


def _can_use_gpu(manifest: PluginManifest | None) -> bool:
    return manifest is not None and (manifest.requires.gpu or manifest.requires.gpu_memory_bytes is not None)


def _not_there(offer: Offer, requested: str, possible: frozenset[str], *, needs_gpu: bool) -> ForgeSyteError:
    why = "it needs a gpu" if needs_gpu and requested == CPU else _why_not(offer, requested)
    found = ", ".join(sorted(possible)) or "no device at all"
    text = (
        f"device {requested} was asked for, but plugin {offer.name} can run on {found}: {why}; use one of these or auto"
    )
    return ForgeSyteError(Code.PLUGIN_UNAVAILABLE, text, plugin=offer.name)


def _why_not(offer: Offer, kind: str) -> str:
    said = offer.refusals.get(kind)
    if said is not None:
        return f"where a runner has a {kind}, it is {said}"
    return f"no living runner offers it on a {kind}"

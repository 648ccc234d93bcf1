"""On which device an attempt runs: the one its job was sent to, or another one this runner has.

The kind of device is chosen when the job is submitted; the runner only takes messages for devices it has. A GPU may
still have disappeared when the message arrives: a job that did not insist on it then runs on the cpu, with a reason.
"""

from collections.abc import Collection
from dataclasses import dataclass

from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.runners import CPU, GPU


@dataclass(frozen=True, slots=True)
class Placement:
    """The device of one attempt; `reason` says why it is not the one chosen at submit."""

    device: str
    reason: str | None = None


def place_job(record: JobRecord, manifest: PluginManifest, kinds: Collection[str]) -> Placement | None:
    """Choose the device of an attempt.

    Args:
        record: the job, sent to `record.device`.
        manifest: of its plugin.
        kinds: the kinds of device that this runner has now.

    Returns:
        None when this runner has no suitable device: another runner may have one.
    """
    if record.device in kinds:
        return Placement(record.device)
    if record.device_requested == "auto" and not manifest.requires.gpu and CPU in kinds:
        return Placement(CPU, f"the {record.device} it was assigned to is no longer available")
    return None


def devices_for(manifest: PluginManifest, kinds: Collection[str]) -> list[str]:
    """Return the kinds of device on which this runner takes jobs of a plugin."""
    return [kind for kind in (CPU, GPU) if kind in kinds and (kind == GPU or not manifest.requires.gpu)]

"""Reads what an installed plugin says of itself, in a sandbox, and judges the answer.

A sandbox may answer anything once plugin code has run in it, so its manifest is validated here again.
"""

from dataclasses import dataclass, replace

from pydantic import ValidationError

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_sandbox.shared.limits import MAX_MANIFEST_BYTES, Limits
from forgesyte_sandbox.shared.specs import ManifestSpec
from forgesyte_sandbox.shared.wall_rules import NO_GRANTS, Grants

from .installed_plugins import FoundPlugin
from .order import Order
from .outcome import SandboxOutcome
from .zygote import Zygote

_TRIES = 3


@dataclass(frozen=True, slots=True)
class ReadPlugin:
    """What came of reading one plugin.

    Attributes:
        outcome: how the sandbox ended; it succeeds for a plugin that can be used.
        manifest: what the plugin is; None when it could not be built, or is not to be believed.
        fault: why the manifest is not to be believed, for a person; None when it is, and when there is none.
    """

    outcome: SandboxOutcome
    manifest: PluginManifest | None = None
    fault: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the plugin said who it is and found everything it needs."""
        return self.outcome.ok and self.manifest is not None

    @property
    def reason(self) -> str | None:
        """Why the plugin is not ready; None when it is."""
        if self.is_ready:
            return None
        return self.fault or self.outcome.error or "its sandbox returned no manifest"


async def read_manifest(
    zygote: Zygote, plugin: FoundPlugin, *, limits: Limits, grants: Grants = NO_GRANTS
) -> ReadPlugin:
    """Import, construct and validate a plugin in a fresh sandbox.

    A run whose zygote died is tried again: the plugin had no part in that, as far as anyone can tell. A plugin whose
    process dies in its constructor or in validate() is asked for its manifest alone in a second run.

    Args:
        grants: what the sandbox may use; what a plugin needs is only known once its manifest was read without any.
    """
    order = Order(ManifestSpec(plugin.entry_point), limits=limits, grants=grants)
    read = judge_manifest(plugin, await _run(zygote, order))
    if read.outcome.kind != "crashed":
        return read
    alone = replace(order, spec=ManifestSpec(plugin.entry_point, validates=False))
    return replace(read, manifest=judge_manifest(plugin, await _run(zygote, alone)).manifest)


async def _run(zygote: Zygote, order: Order) -> SandboxOutcome:
    for _ in range(_TRIES):
        outcome = await zygote.run(order)
        if not outcome.was_interrupted:
            break
    return outcome


def judge_manifest(plugin: FoundPlugin, outcome: SandboxOutcome) -> ReadPlugin:
    """Validate the manifest that a sandbox returned for `plugin`; a broken plugin may have one too."""
    returned = (outcome.result or {}).get("manifest")
    if returned is None:
        return ReadPlugin(outcome)
    try:
        manifest = PluginManifest.model_validate(returned)
    except ValidationError as error:
        return ReadPlugin(outcome, fault=f"its manifest is invalid: {_first(error)}")
    if manifest.name != plugin.name:
        fault = f"its manifest says '{manifest.name}' and its entry point '{plugin.name}'; make both the same"
        return ReadPlugin(outcome, fault=fault)
    size = size_of(manifest)
    if size > MAX_MANIFEST_BYTES:
        fault = f"its manifest has {size >> 10} KiB, at most {MAX_MANIFEST_BYTES >> 10} KiB are accepted"
        return ReadPlugin(outcome, fault=f"{fault}; shorten its descriptions and schemas")
    return ReadPlugin(outcome, manifest)


def size_of(manifest: PluginManifest) -> int:
    """Return the bytes of a manifest as JSON."""
    return len(manifest.model_dump_json().encode())


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'manifest'}: {first['msg']}"

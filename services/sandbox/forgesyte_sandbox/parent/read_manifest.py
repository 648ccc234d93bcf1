"""Reads what an installed plugin says of itself, in a sandbox, and judges the answer.

A sandbox may answer anything once plugin code has run in it, so its manifest is validated here again.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_sandbox.shared.limits import MAX_MANIFEST_BYTES, Limits
from forgesyte_sandbox.shared.specs import ManifestSpec

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


async def read_manifest(zygote: Zygote, plugin: FoundPlugin, *, limits: Limits) -> ReadPlugin:
    """Import, construct and validate a plugin in a fresh sandbox.

    A run whose zygote died is tried again: the plugin had no part in that, as far as anyone can tell.
    """
    order = Order(ManifestSpec(plugin.entry_point), limits=limits)
    for _ in range(_TRIES):
        outcome = await zygote.run(order)
        if outcome.kind != "released":
            break
    return judge_manifest(plugin, outcome)


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

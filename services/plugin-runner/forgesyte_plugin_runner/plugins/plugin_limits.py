"""The limits for the jobs of a plugin: the operator's, unless the plugin's manifest asks for others.

A plugin may always ask for less. It may ask for more up to the operator's ceiling; a plugin that asks for more than
that is UNAVAILABLE with a reason that names both figures. Rejected: cutting it to the ceiling, because its jobs would
then end as `oom` or `timeout`, one after the other, for a reason known before the first one.
"""

from dataclasses import replace

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.limits import MIB, Limits


def job_limits(settings: RunnerSettings, manifest: PluginManifest) -> Limits:
    """Return the runner's limits, overridden by those the plugin asks for; excess() checked them at loading."""
    limits, asked = settings.limits(), manifest.limits
    return replace(
        limits,
        frame_timeout_s=asked.frame_timeout_s or limits.frame_timeout_s,
        memory_bytes=asked.memory_bytes or limits.memory_bytes,
    )


def excess(settings: RunnerSettings, manifest: PluginManifest) -> str | None:
    """Return what a plugin asks for beyond the ceiling and what to do about it; None when all of it is allowed.

    What the operator grants every job is never beyond the ceiling.
    """
    asked = job_limits(settings, manifest)
    most_s = max(settings.max_frame_timeout_s, settings.frame_timeout_s)
    most_bytes = max(settings.max_memory_bytes, settings.memory_bytes)
    faults = []
    if asked.frame_timeout_s > most_s:
        wish = f"it asks for {asked.frame_timeout_s:g} s per frame and at most {most_s:g} s are allowed here"
        faults.append(f"{wish}; lower limits.frame_timeout_s or raise FORGESYTE_RUNNER_MAX_FRAME_TIMEOUT_S")
    if asked.memory_bytes > most_bytes:
        wish = f"it asks for {_mib(asked.memory_bytes)} per job and at most {_mib(most_bytes)} are allowed here"
        faults.append(f"{wish}; lower limits.memory_bytes or raise FORGESYTE_RUNNER_MAX_MEMORY_BYTES")
    return ". ".join(faults) or None


def _mib(count: int) -> str:
    return f"{-(-count // MIB)} MiB"

"""The limits under which a job of a plugin works: the operator's, unless the plugin's manifest asks for others.

Asking for less needs nobody's leave. Asking for more is allowed up to the operator's ceiling, and a plugin that asks
for more than that is UNAVAILABLE with a reason that names both figures. Rejected: cutting it to the ceiling, because
its jobs would then end as `oom` or `timeout`, one after the other, for a reason that was known before the first one.
"""

from dataclasses import replace

from forgesyte_contracts.plugins import PluginManifest
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.shared.limits import MIB, Limits


def job_limits(settings: RunnerSettings, manifest: PluginManifest) -> Limits:
    """The service's limits, but for those the plugin asks for itself; excess() was asked when it was looked at."""
    limits, asked = settings.limits(), manifest.limits
    return replace(
        limits,
        frame_timeout_s=asked.frame_timeout_s or limits.frame_timeout_s,
        memory_bytes=asked.memory_bytes or limits.memory_bytes,
    )


def excess(settings: RunnerSettings, manifest: PluginManifest) -> str | None:
    """Name what a plugin asks for beyond the ceiling and what to do about it; None when all of it is allowed.

    What the operator gives to every job is never beyond it.
    """
    asked = job_limits(settings, manifest)
    most_s = max(settings.max_frame_timeout_s, settings.frame_timeout_s)
    most_bytes = max(settings.max_memory_bytes, settings.memory_bytes)
    faults = []
    if asked.frame_timeout_s > most_s:
        wish = f"it asks for {asked.frame_timeout_s:g} s a frame and at most {most_s:g} s are allowed here"
        faults.append(f"{wish}; lower limits.frame_timeout_s or raise FORGESYTE_RUNNER_MAX_FRAME_TIMEOUT_S")
    if asked.memory_bytes > most_bytes:
        wish = f"it asks for {_mib(asked.memory_bytes)} a job and at most {_mib(most_bytes)} are allowed here"
        faults.append(f"{wish}; lower limits.memory_bytes or raise FORGESYTE_RUNNER_MAX_MEMORY_BYTES")
    return ". ".join(faults) or None


def _mib(count: int) -> str:
    return f"{-(-count // MIB)} MiB"

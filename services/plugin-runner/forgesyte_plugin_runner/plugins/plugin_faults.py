"""What the end of a sandbox says about its plugin: nothing, one more error, or that the plugin is broken.

A sandbox loads its plugin before it looks at the job. A fault before that point would hit every other job too, so the
plugin is FAILED at the first one. A later fault may be the input's: one input that kills is that job's problem, however
often it is tried. Only when jobs with different inputs kill the sandbox one after the other, and none succeeds in
between, is it the plugin; every further job would then cost a user a failed job.

A sandbox killed by SIGKILL while it loads counts as the latter: that is how an operator or a machine out of memory ends
processes, and it says nothing about the plugin.
"""

import signal

import structlog

from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.outcome import SandboxOutcome

from .registry import PluginRegistry

log = structlog.get_logger(__name__)


def blame_failure(registry: PluginRegistry, plugin: str, outcome: SandboxOutcome) -> None:
    """Count a job that ended with an exception if the plugin raised it, and disable the plugin if loading failed.

    A plugin that wrote too much to disk is counted and never disabled: how much it writes is mostly up to the input.
    """
    if outcome.code not in (Code.PLUGIN_ERROR, Code.PLUGIN_UNAVAILABLE, Code.DISK_LIMIT):
        return
    registry.record_error(plugin)
    if outcome.code is Code.DISK_LIMIT:
        return
    if outcome.start_ms is not None or not registry.is_available(plugin):
        return
    if outcome.code is Code.PLUGIN_UNAVAILABLE:
        registry.mark_unavailable(plugin, outcome.error or "")
        log.warning("plugin unavailable", plugin=plugin, reason=outcome.error)
    else:
        _disable(registry, plugin, f"{outcome.error_type}: {outcome.error}")


def blame_death(
    registry: PluginRegistry, record: JobRecord, outcome: SandboxOutcome, *, what: str, input_id: str
) -> None:
    """Note a death, and disable the plugin if it died while loading or too often.

    Args:
        registry: knows the plugin.
        record: the job.
        outcome: of kind timeout, oom or crashed.
        what: what happened, as a clause.
        input_id: distinguishes its media from other media.
    """
    name = record.plugin_id
    if outcome.start_ms is None and outcome.exit_code != -signal.SIGKILL:
        if registry.is_available(name):
            _disable(registry, name, f"its sandbox died before the plugin was loaded: {what}")
        return
    at_frame = what if outcome.frame is None else f"{what} at frame {outcome.frame}"
    reason = registry.record_crash(name, input_id=input_id, job_id=record.job_id, what=at_frame)
    if reason is not None:
        log.error("plugin failed", plugin=name, reason=reason)


def blame_claimed(registry: PluginRegistry, record: JobRecord) -> None:
    """Note a job that was found to be to blame when it was claimed again, after its runner had died."""
    if record.error_code != Code.PLUGIN_CRASH or registry.get_status(record.plugin_id) is None:
        return
    what = record.error_message or ""
    # Its media is not here, so its own id tells it from other inputs.
    reason = registry.record_crash(record.plugin_id, input_id=record.job_id, job_id=record.job_id, what=what)
    if reason is not None:
        log.error("plugin failed", plugin=record.plugin_id, reason=reason)


def _disable(registry: PluginRegistry, plugin: str, reason: str) -> None:
    registry.mark_failed(plugin, reason)
    log.error("plugin failed", plugin=plugin, reason=reason)

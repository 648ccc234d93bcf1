"""Turns a record into messages: its full current state for a client that joins, and only the news for one that follows.

Pure functions. A pending job has no messages: nothing of it runs yet.
"""

from collections.abc import Sequence

from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import CODE_FACTS, Code

from .payloads import (
    ErrorDetails,
    ErrorPayload,
    MetadataPayload,
    Payload,
    PluginMetadata,
    PluginStatus,
    PluginStatusPayload,
    ProgressPayload,
    ProgressStatus,
    WarningPayload,
)

_CONFIDENCE = ("confidence", "confidence_threshold", "min_confidence")
_ENDED = {
    JobStatus.COMPLETED: PluginStatus.COMPLETED,
    JobStatus.FAILED: PluginStatus.FAILED,
    JobStatus.CANCELLED: PluginStatus.CANCELLED,
}


def plugin_status_of(record: JobRecord) -> PluginStatusPayload | None:
    """Return how the plugin is doing; None for a job that never ran.

    Degraded means that it runs with a warning, on a device other than the requested one, or after a
    death, its own or that of what ran it.
    """
    if not record.attempt:
        return None
    return PluginStatusPayload(
        job_id=record.job_id,
        plugin=record.plugin_id,
        status=_plugin_status(record),
        timing_ms=record.plugin_timings.get(record.plugin_id),
        frames_processed=record.current_frame or 0,
        warnings_count=_first_index(record) + len(record.warnings),
        device_used=record.device_used,
    )


def _plugin_status(record: JobRecord) -> PluginStatus:
    if record.is_terminal:
        return _ENDED[record.status]
    outcomes = [attempt.outcome for attempt in record.attempts if attempt.outcome is not None]
    began_again = any(outcome.is_death or outcome is AttemptOutcome.SURROUNDINGS for outcome in outcomes)
    if began_again or record.fallback or record.warnings:
        return PluginStatus.DEGRADED
    return PluginStatus.RUNNING if record.current_frame else PluginStatus.STARTED


def warnings_of(record: JobRecord, *, known: int = 0) -> list[WarningPayload]:
    """Return the warnings from index `known` on, in order.

    A record keeps the newest; indexes count all of them. Where some from `known` on are no longer in the record, the
    first warning says how many.
    """
    first = _first_index(record)
    return [
        WarningPayload(
            job_id=record.job_id,
            index=index,
            plugin=record.plugin_id,
            message=warning.text,
            severity=warning.severity,
            frame_index=warning.frame_index,
            earlier=first - known if index == first > known else None,
        )
        for index, warning in enumerate(record.warnings, start=first)
        if index >= known
    ]


def _first_index(record: JobRecord) -> int:
    return record.warnings_dropped


def progress_of(record: JobRecord) -> ProgressPayload | None:
    """Return how far the job is, or its ending once it has ended; None while it is pending."""
    if record.status is JobStatus.PENDING:
        return None
    return ProgressPayload(
        job_id=record.job_id,
        status=ProgressStatus(record.status.value),
        progress=record.progress,
        current_frame=record.current_frame,
        total_frames=record.total_frames,
        current_tool=None if record.is_terminal else record.tools[0],
        tools_total=len(record.tools),
        tools_completed=record.tools_completed,
    )


def error_of(record: JobRecord) -> ErrorPayload | None:
    """Return the error that precedes the ending of a failed or cancelled job; None for all others."""
    if record.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return None
    known = record.error_code in Code.__members__.values()
    code = Code(record.error_code) if known and record.error_code else Code.INTERNAL
    return ErrorPayload(
        job_id=record.job_id,
        error=CODE_FACTS[code].title,
        plugin=record.plugin_id,
        details=ErrorDetails(error_code=code.value, message=record.error_message or "", frame_index=record.error_frame),
    )


def current_state(record: JobRecord) -> list[Payload]:
    """Return everything to send to a client that joins now: plugin_status, every warning, then progress or ending."""
    return _present(plugin_status_of(record), *warnings_of(record), error_of(record), progress_of(record))


def news_between(before: JobRecord, now: JobRecord) -> list[Payload]:
    """Return what a client that has seen everything up to `before` must receive without fail.

    The news is: a change of the plugin's status, new warnings, and the ending with its error. Progress is not news: it
    may be skipped when a newer one exists.
    """
    status, was = plugin_status_of(now), plugin_status_of(before)
    is_new_status = status is not None and (was is None or was.status is not status.status)
    warnings = warnings_of(now, known=_first_index(before) + len(before.warnings))
    ending = (error_of(now), progress_of(now)) if now.is_terminal and not before.is_terminal else ()
    return _present(status if is_new_status else None, *warnings, *ending)


def _present(*payloads: Payload | None) -> list[Payload]:
    return [payload for payload in payloads if payload is not None]


def metadata_of(manifest: PluginManifest) -> MetadataPayload:
    """Return what a client may show about a plugin, taken from its manifest."""
    model = manifest.requires.models[0].name if manifest.requires.models else None
    titles = [str(tool.output_schema["title"]) for tool in manifest.tools if "title" in tool.output_schema]
    return MetadataPayload(
        plugin=manifest.name,
        metadata=PluginMetadata(
            version=manifest.version,
            model=model,
            output_format=titles[0] if titles else None,
            confidence_default=_confidence_default([tool.options_schema for tool in manifest.tools]),
            capabilities=manifest.capabilities,
            latency_budget_ms=manifest.latency_budget_ms,
        ),
    )


def _confidence_default(schemas: Sequence[dict[str, object]]) -> float | None:
    for schema in schemas:
        options = schema.get("properties")
        for name in _CONFIDENCE:
            option = options.get(name) if isinstance(options, dict) else None
            default = option.get("default") if isinstance(option, dict) else None
            if isinstance(default, int | float) and not isinstance(default, bool):
                return float(default)
    return None

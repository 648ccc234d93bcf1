"""What job-api answers about jobs: the public views of a record, and the answers to submit, list and cancel."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.ids import JobIdText
from forgesyte_contracts.jobs import (
    AttemptOutcome,
    DecodeFacts,
    JobRecord,
    JobStatus,
    JobType,
    Moment,
    StageTimings,
)
from forgesyte_contracts.results import ResultSummary, Row
from forgesyte_contracts.warnings import Severity


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class JobView(_Body):
    """The record as `GET /v1/jobs/{job_id}` returns it."""

    job_id: JobIdText
    """The job's id, a UUID."""

    status: JobStatus
    """`completed`, `failed` and `cancelled` never change again."""

    plugin_id: str
    """Name of the plugin."""

    tool: str
    """The first of `tools`."""

    tools: tuple[str, ...]
    """The tools that run over the media, all of them over one decode."""

    job_type: JobType
    """The kind of media, with `_multi` when the job has more than one tool."""

    filename: str | None = None
    """The client's name for the media; null when it gave none."""

    options: dict[str, dict[str, Any]] | None = None
    """The options of each tool, `{tool: options}`; null in a list of jobs."""

    progress: int | None = Field(default=None, ge=0, le=100)
    """Per cent of the frames; never falls, and is 100 only when the job is completed. Null until it has begun."""

    current_frame: int | None = None
    """How many frames are done; once the job has ended, how many rows its result has."""

    total_frames: int | None = None
    """How many frames there are; null until that is known exactly."""

    current_tool: str | None = None
    """The first of `tools` until the job has ended."""

    tools_total: int
    """How many tools there are."""

    tools_completed: int = 0
    """0 until the job is completed, then `tools_total`."""

    results: dict[str, Any] | None = None
    """The result document of a completed job, its frames cut at 256 KiB; `result_url` has all of them."""

    result_url: str | None = None
    """Path of the whole result."""

    summary: ResultSummary | None = None
    """What is in the rows that can be read so far, in three figures; null until there are any, or the job has ended."""

    error_message: str | None = None
    """What happened, at which frame, what was expected and what to do next; null unless the job failed."""

    error_code: str | None = None
    """The code of the failure, as problems have it."""

    error_type: str | None = None
    """The class of the failure."""

    attempt: int = 0
    """How many times a runner has claimed the job."""

    created_at: Moment
    """When the job was submitted."""

    started_at: Moment | None = None
    """When a runner first claimed it."""

    updated_at: Moment
    """When the record was last written."""

    completed_at: Moment | None = None
    """When the job ended, however it ended."""


class AttemptView(_Body):
    """One claim of a job, as `GET /v1/jobs/{job_id}` shows it on request."""

    number: int
    """Which claim of the job it was, from 1."""

    runner_id: str
    """Who claimed it."""

    started_at: Moment
    """When it was claimed."""

    ended_at: Moment | None = None
    """When it ended; null while it runs."""

    outcome: AttemptOutcome | None = None
    """How it ended; null while it runs."""

    frame: int | None = None
    """The frame it had reached when it ended, 0-based; null when that is unknown. Of the last attempt of an ended job:
    how many rows its result has."""

    policy: str | None = None
    """How its sandbox was held back: `walled`, `degraded` or `off`; null when the runner did not know."""

    log_tail: str | None = None
    """The newest 2 KB that its sandbox wrote to stdout and stderr, when that failed or died; else null."""


class WarningView(_Body):
    """A warning of a job, as data."""

    index: int = Field(ge=0)
    """Its number among all warnings of the job, from 0, as in live messages."""

    text: str
    """What to know."""

    frame_index: int | None = Field(default=None, ge=0)
    """The frame it is about, 0-based; null when it is about the whole job, or no frame is known."""

    severity: Severity
    """How much it matters: `low`, `medium` or `high`, which is a loss."""


class ExtendedJobResponse(JobView):
    """The record plus how it was made: timings, warnings, device, newest rows, decode facts and attempts."""

    plugin_timings: dict[str, float] | None = None
    """Milliseconds of the last frame by `plugin.tool`, and their sum under `plugin`."""

    stage_timings_ms: StageTimings | None = None
    """Milliseconds spent in each stage of the present attempt."""

    warnings: list[str] | None = None
    """Every warning in the order it was raised."""

    warning_entries: list[WarningView] | None = None
    """The same warnings as data."""

    device_requested: str | None = None
    """`auto`, `cpu` or `gpu`, as the submit asked."""

    device_used: str | None = None
    """The kind of device the job runs on; null until it has begun."""

    fallback: bool = False
    """Whether the job runs on another device than its plugin prefers."""

    fallback_reason: str | None = None
    """Why it does."""

    frames: list[Row] | None = None
    """The newest rows, at most 20."""

    decode: DecodeFacts | None = None
    """What the decoder met."""

    attempts: list[AttemptView] = Field(default_factory=list)
    """The claims of the job, oldest first, at most the newest 20."""


def job_view(record: JobRecord, *, results: dict[str, Any] | None = None, has_options: bool = True) -> JobView:
    """Derive the public view of a record.

    Args:
        record: the record.
        results: the result document of a completed job (rows cut at the inline limit), read from the store.
        has_options: whether the view holds the options, which may be large.
    """
    facts = record.model_dump(exclude={"warnings", "attempts", "decode", "rows", "options"})
    return JobView(
        **{name: facts[name] for name in JobView.model_fields if name in facts},
        tool=record.tools[0],
        filename=record.input.filename,
        options=record.options if has_options else None,
        current_tool=None if record.is_terminal else record.tools[0],
        tools_total=len(record.tools),
        results=results,
        result_url=f"/v1/jobs/{record.job_id}/result",
    )


class Submitted(_Body):
    """The job that a submit became. `plugin` and `tool` repeat other fields for older clients."""

    job_id: JobIdText
    """The job's id, a UUID; `GET /v1/jobs/{job_id}` follows it."""

    plugin: str
    """As `plugin_id`."""

    plugin_id: str
    """Name of the plugin."""

    tool: str
    """The first of `tools`."""

    tools: tuple[str, ...]
    """The tools by their ids, aliases resolved."""

    status: Literal["queued"] = "queued"
    """The job waits for a runner."""

    submitted_at: Moment
    """When it was accepted."""


class JobPage(_Body):
    """A page of jobs, newest first."""

    jobs: list[JobView]
    """The jobs, without their results."""

    count: int = Field(ge=0)
    """How many jobs match in all."""

    next_cursor: JobIdText | None = None
    """The `cursor` of the next page; null on the last one."""


class CancelledJob(JobView):
    """A cancelled job."""

    stopping: bool = False
    """Whether its sandbox may still be running, normally for less than a second."""

"""What job-api answers about jobs: the public views of a record, and the answers to submit, list and cancel."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from forgesyte_contracts.jobs import AttemptEntry, DecodeFacts, JobRecord, JobStatus, JobType, Moment, StageTimings
from forgesyte_contracts.results import ResultSummary


class JobView(BaseModel):
    """The record as `GET /v1/jobs/{job_id}` gives it."""

    job_id: str
    status: JobStatus
    plugin_id: str
    tool: str
    tools: tuple[str, ...]
    job_type: JobType
    progress: int | None = Field(default=None, ge=0, le=100)
    current_frame: int | None = None
    total_frames: int | None = None
    current_tool: str | None = None
    tools_total: int
    tools_completed: int = 0
    results: dict[str, Any] | None = None
    result_url: str | None = None
    summary: ResultSummary | None = None
    error_message: str | None = None
    error_code: str | None = None
    error_type: str | None = None
    attempt: int = 0
    created_at: Moment
    started_at: Moment | None = None
    updated_at: Moment
    completed_at: Moment | None = None


class ExtendedJobResponse(JobView):
    """The record plus how it was made: timings, warnings, device, newest rows, decode facts and attempts."""

    plugin_timings: dict[str, float] | None = None
    stage_timings_ms: StageTimings | None = None
    warnings: list[str] | None = None
    device_requested: str | None = None
    device_used: str | None = None
    fallback: bool = False
    fallback_reason: str | None = None
    frames: list[dict[str, Any]] | None = None
    decode: DecodeFacts | None = None
    attempts: list[AttemptEntry] = Field(default_factory=list)


def job_view(record: JobRecord, *, results: dict[str, Any] | None = None) -> JobView:
    """Derive the public view of a record.

    Args:
        record: the record.
        results: the result document of a completed job (rows cut at the inline limit), read from the store.
    """
    facts = record.model_dump(exclude={"warnings", "attempts", "decode", "rows", "options"})
    return JobView(
        **{name: facts[name] for name in JobView.model_fields if name in facts},
        tool=record.tools[0],
        current_tool=None if record.is_terminal else record.tools[0],
        tools_total=len(record.tools),
        results=results,
        result_url=f"/v1/jobs/{record.job_id}/result",
    )


class Submitted(BaseModel):
    """A job was accepted. `plugin` and `tool` repeat `plugin_id` and the first of `tools` for older clients."""

    job_id: str
    plugin: str
    plugin_id: str
    tool: str
    tools: tuple[str, ...]
    status: Literal["queued"] = "queued"
    submitted_at: Moment


class JobPage(BaseModel):
    """A page of jobs, newest first. `count` is how many match in all; `next_cursor` is null on the last page."""

    jobs: list[JobView]
    count: int = Field(ge=0)
    next_cursor: str | None = None


class CancelledJob(JobView):
    """A cancelled job. `stopping` is true while its sandbox may still be dying, normally for less than a second."""

    stopping: bool = False

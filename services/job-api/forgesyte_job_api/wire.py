"""The bodies job-api answers with that no other room needs, and how OpenAPI tells of problems."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.jobs import JobView, Moment
from forgesyte_contracts.problems import CODE_FACTS, Code

EXAMPLE_JOB_ID = "01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60"


class Problem(BaseModel):
    """An error as RFC 9457 has it; `code` is the word programs may switch on."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    job_id: str | None = None
    plugin: str | None = None


class Submitted(BaseModel):
    """A job was accepted. `plugin` and `tool` repeat `plugin_id` and the first of `tools` for older clients."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_id": EXAMPLE_JOB_ID,
                "plugin": "motion-detector",
                "plugin_id": "motion-detector",
                "tool": "detect-motion",
                "tools": ["detect-motion"],
                "status": "queued",
                "submitted_at": "2025-01-01T12:00:00.000Z",
            }
        }
    )

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


class HealthReport(BaseModel):
    """Whether job-api can do its work. A check's value is `ok` or a sentence saying what is wrong."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "status": "healthy",
                "version": "0.1.0",
                "plugins_loaded": 1,
                "checks": {"bus": "ok", "storage": "ok", "projection": "ok"},
            }
        }
    )

    status: Literal["healthy", "degraded"]
    version: str
    plugins_loaded: int = Field(ge=0)
    checks: dict[str, str]


def problem_responses(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI: one entry a status, naming the codes that give it."""
    by_status: dict[int | str, list[Code]] = {}
    for code in codes:
        by_status.setdefault(CODE_FACTS[code].status, []).append(code)
    return {
        status: {
            "model": Problem,
            "description": "; ".join(f"{CODE_FACTS[code].title} ({code})" for code in found),
            "content": {"application/problem+json": {"example": _example(found[0])}},
        }
        for status, found in by_status.items()
    }


def _example(code: Code) -> dict[str, Any]:
    facts = CODE_FACTS[code]
    detail = f"{facts.title}: what was found, what was expected, what to do next."
    return {"type": "about:blank", "title": facts.title, "status": facts.status, "detail": detail, "code": code.value}

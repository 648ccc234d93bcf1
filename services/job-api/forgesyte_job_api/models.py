"""The bodies job-api answers with that no other room needs, and how OpenAPI tells of problems."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_chassis.web.problems import problem_document
from forgesyte_contracts.jobs import JobView, Moment
from forgesyte_contracts.problems import CODE_FACTS, Code, ForgeSyteError

from .examples import PROBLEMS
from .submit.mediakind import OCTETS, MediaKind


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

    status: Literal["healthy", "degraded"]
    version: str
    plugins_loaded: int = Field(ge=0)
    checks: dict[str, str]


def request_body(kind: MediaKind, **more_fields: dict[str, Any]) -> dict[str, Any]:
    """The `requestBody` of a route for OpenAPI that takes media; `more_fields` are form fields of its own."""
    binary = {"type": "string", "format": "binary"}
    fields: dict[str, Any] = {
        **dict.fromkeys(kind.parts, binary),
        "plugin_id": {"type": "string"},
        "tool": {"type": "array", "items": {"type": "string"}},
        "device": {"type": "string", "enum": ["auto", "cpu", "gpu"]},
        "options": {"type": "string"},
        "skip_bad_frames": {"type": "boolean"},
        **more_fields,
    }
    return {
        "required": True,
        "description": f"The {kind.name} as raw body, or as field `{kind.name}` (`file` for older clients) of a form.",
        "content": {
            f"{kind.name}/*": {"schema": binary},
            OCTETS: {"schema": binary},
            "multipart/form-data": {"schema": {"type": "object", "properties": fields}},
        },
    }


def problem_responses(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI: one entry a status, naming the codes that give it."""
    by_status: dict[int | str, list[Code]] = {}
    for code in codes:
        by_status.setdefault(CODE_FACTS[code].status, []).append(code)
    return {
        status: {
            "model": Problem,
            "description": "; ".join(f"{CODE_FACTS[code].title} ({code})" for code in found),
            "content": {"application/problem+json": {"examples": {code.value: _example(code) for code in found}}},
        }
        for status, found in by_status.items()
    }


def _example(code: Code) -> dict[str, Any]:
    facts = CODE_FACTS[code]
    error = ForgeSyteError(code, PROBLEMS.get(code.value, f"{facts.title}."))
    return {"summary": facts.title, "value": problem_document(error)}

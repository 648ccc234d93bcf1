"""How OpenAPI tells of the request bodies and the problems of a route."""

from typing import Any

from forgesyte_chassis.web.problems import problem_document
from forgesyte_contracts.http.problems import Problem
from forgesyte_contracts.problems import CODE_FACTS, Code, ForgeSyteError
from forgesyte_job_api.submit.mediakind import OCTETS, MediaKind

from .examples import PROBLEMS


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

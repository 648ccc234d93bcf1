"""What a route declares for OpenAPI beyond what its signature says: bodies, examples of answers, problems.

FastAPI files the model of a refusal under application/json, so problems are declared by reference; chassis adds the
schema itself to the document.
"""

from http import HTTPStatus
from typing import Any

from forgesyte_chassis.web.openapi import PROBLEM_SCHEMA
from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.problems import CODE_FACTS, Code, ForgeSyteError
from forgesyte_job_api.submit.mediakind import OCTETS, MediaKind
from forgesyte_job_api.submit.submit_fields import SubmitFields

from .examples import FORM, PROBLEMS, RANGE_OUTSIDE

BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
Described = dict[str, Any]
Responses = dict[int | str, Described]

PLAYABLE_PROBLEMS = (
    Code.KEY_MISSING, Code.KEY_REFUSED, Code.JOB_UNKNOWN, Code.REQUEST_INVALID, Code.MEDIA_INVALID,
    Code.MEDIA_TOO_LARGE, Code.TOO_MANY_REQUESTS, Code.STORAGE_FULL, Code.SERVICE_UNAVAILABLE, Code.PLUGIN_CRASH,
    Code.INTERNAL, Code.PLUGIN_TIMEOUT, Code.PLUGIN_OOM, Code.DISK_LIMIT,
)  # fmt: skip
"""What may go wrong where what browsers show of a job is made on demand."""


def request_body(kind: MediaKind, fields: type[SubmitFields]) -> Described:
    """Return the `requestBody` of a route that takes media: the raw body, or a form that has `fields` as well."""
    texts = {name: _form_field(schema) for name, schema in fields.model_json_schema()["properties"].items()}
    form = {"type": "object", "properties": {**dict.fromkeys(kind.parts, BINARY), **texts}}
    return {
        "required": True,
        "description": f"The {kind.name} as raw body, or as field `{kind.name}` (`file` for older clients) of a form.",
        "content": {
            f"{kind.name}/*": {"schema": BINARY},
            OCTETS: {"schema": BINARY},
            "multipart/form-data": {"schema": form, "example": FORM},
        },
    }


def answer(example: Described, **more: Any) -> Described:  # noqa: ANN401  whatever OpenAPI has for a response
    """Return the description of a JSON answer whose model the route names; `more` stands beside its content."""
    return {"content": {"application/json": {"example": example}}, **more}


def problem_responses(*codes: Code) -> Responses:
    """Return the `responses` of a route's refusals: one entry per status, naming the codes that lead to it."""
    by_status: dict[int | str, list[Code]] = {}
    for code in codes:
        by_status.setdefault(CODE_FACTS[code].status, []).append(code)
    return {
        status: {
            "description": "; ".join(f"{CODE_FACTS[code].title} ({code})" for code in found),
            "content": {MEDIA_TYPE: {**PROBLEM_SCHEMA, "examples": {code.value: _example(code) for code in found}}},
        }
        for status, found in by_status.items()
    }


def odd_problem(status: int, code: Code, detail: str, description: str) -> Described:
    """Return the description of a problem whose status is not that of its code."""
    title = HTTPStatus(status).phrase if code is Code.REQUEST_INVALID else CODE_FACTS[code].title
    document = problem_document(ForgeSyteError(code, detail)) | {"status": status, "title": title}
    return {"description": description, "content": {MEDIA_TYPE: {**PROBLEM_SCHEMA, "example": document}}}


def range_problem(what: str) -> Described:
    """Return the description of 416 for a route that serves parts of `what`."""
    return odd_problem(416, Code.REQUEST_INVALID, RANGE_OUTSIDE, f"{what} has no such part.")


def _example(code: Code) -> Described:
    facts = CODE_FACTS[code]
    error = ForgeSyteError(code, PROBLEMS.get(code.value, f"{facts.title}."))
    return {"summary": facts.title, "value": problem_document(error)}


def _form_field(schema: Described) -> Described:
    """Return a query parameter's schema as that of a form field, which is left out instead of being null."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    told = {name: schema[name] for name in ("description", "examples") if name in schema}
    return {**kinds[0], **told}

"""One OpenAPI document for the one port, made of what each application says of itself.

Only what all services share is completed: problems are problem documents, whichever application answers them.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import request_response
from starlette.types import ASGIApp

from forgesyte_chassis.web.problems import MEDIA_TYPE
from forgesyte_launcher import __version__

Document = dict[str, Any]

_DESCRIPTION = "Everything that answers on this port. Sockets and server-sent events are told in docs/realtime.md."
_SCHEMA_REF = "#/components/schemas/"
_PROBLEM = {"$ref": f"{_SCHEMA_REF}Problem"}
_FRAMEWORKS_OWN = {f"{_SCHEMA_REF}HTTPValidationError"}


def openapi_app(apps: Iterable[FastAPI]) -> ASGIApp:
    """Make the application that answers GET /openapi.json for all of `apps`; merged when it is first asked."""
    parts = tuple(apps)

    @cache
    def document() -> Document:
        return merged(app.openapi() for app in parts)

    async def answer(_request: Request) -> Response:
        return JSONResponse(document())

    return request_response(answer)


def merged(documents: Iterable[Document]) -> Document:
    """Merge OpenAPI documents: all their paths, and all their schemas.

    A path stays as the first document that has it says. Two different schemas of one name both stay, the later one
    under a name with a number.
    """
    paths: Document = {}
    schemas: Document = {}
    for document in documents:
        found = document.get("components", {}).get("schemas", {})
        names = {name: _free_name(name, schema, schemas) for name, schema in found.items()}
        schemas |= {names[name]: _renamed(schema, names) for name, schema in found.items()}
        for path, told in document["paths"].items():
            paths.setdefault(path, _with_problems(_renamed(told, names)))
    return {
        "openapi": "3.1.0",
        "info": {"title": "ForgeSyte", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _free_name(name: str, schema: Document, taken: Document) -> str:
    candidate, number = name, 1
    while candidate in taken and taken[candidate] != schema:
        number += 1
        candidate = f"{name}{number}"
    return candidate


def _renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Copy JSON with every reference to a schema pointing to its new name."""
    if isinstance(value, dict):
        copy = {key: _renamed(inner, names) for key, inner in value.items()}
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_SCHEMA_REF):
            name = reference.removeprefix(_SCHEMA_REF)
            copy["$ref"] = f"{_SCHEMA_REF}{names.get(name, name)}"
        return copy
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value


def _with_problems(operations: Document) -> Document:
    """Say of every refusal that the framework described by itself what it really is."""
    for operation in operations.values():
        for answer in operation.get("responses", {}).values():
            content = answer.get("content", {})
            told = content.get("application/json", {}).get("schema", {}).get("$ref")
            if told in _FRAMEWORKS_OWN:
                del content["application/json"]
                content.setdefault(MEDIA_TYPE, {"schema": _PROBLEM})
    return operations

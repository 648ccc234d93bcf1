"""One OpenAPI document for the one port, merged from the documents of the applications.

Only what all services share is completed: every error is answered as a problem document, whichever application does it.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from forgesyte_chassis.web import problems
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.problems import MEDIA_TYPE
from forgesyte_chassis.web.route_guard import route_guard
from forgesyte_launcher import __version__

Document = dict[str, Any]

_DESCRIPTION = "Everything that answers on this port. docs/realtime.md describes WebSockets and server-sent events."
_SCHEMA_REF = "#/components/schemas/"
_PROBLEM = {"$ref": f"{_SCHEMA_REF}Problem"}
_FRAMEWORKS_OWN = {f"{_SCHEMA_REF}HTTPValidationError"}


def openapi_app(describe: Callable[[], Document]) -> FastAPI:
    """Make the application that answers GET /openapi.json; `describe` is called once, at the first request."""
    document = cache(describe)
    # No key is needed for it, so an open ring serves; the guard also refuses query parameters.
    guard = Depends(route_guard(KeyRing()))
    app = FastAPI(dependencies=[guard], openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)

    async def answer() -> JSONResponse:
        return JSONResponse(document())

    app.add_api_route("/openapi.json", answer, methods=["GET", "HEAD"])
    return app


def merged(documents: Iterable[Document]) -> Document:
    """Merge OpenAPI documents: all their paths and all their schemas.

    A path that occurs twice is taken from the first document. Of two different schemas with one name, the later one
    gets a number behind its name.
    """
    paths: Document = {}
    schemas: Document = {}
    for document in documents:
        found = document.get("components", {}).get("schemas", {})
        names = {name: _free_name(name, schema, schemas) for name, schema in found.items()}
        schemas |= {names[name]: _renamed(schema, names) for name, schema in found.items()}
        for path, operations in document["paths"].items():
            paths.setdefault(path, _with_problems(_renamed(operations, names)))
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
    """Describe the refusals that the framework documents by itself as what they are: problem documents."""
    for operation in operations.values():
        for answer in operation.get("responses", {}).values():
            content = answer.get("content", {})
            schema = content.get("application/json", {}).get("schema", {}).get("$ref")
            if schema in _FRAMEWORKS_OWN:
                del content["application/json"]
                content.setdefault(MEDIA_TYPE, {"schema": _PROBLEM})
    return operations

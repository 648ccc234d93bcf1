"""Completes the OpenAPI document of an application with what its framework does not find out by itself."""

from collections.abc import Callable
from typing import Any, Protocol

from forgesyte_contracts.http.problems import Problem

Described = dict[str, Any]

PROBLEM_SCHEMA: Described = {"schema": {"$ref": "#/components/schemas/Problem"}}
"""How a route refers to the schema of its refusals; with_problem_schema() adds that schema to the document."""


class Describing(Protocol):
    """FastAPI's application as far as it is needed here; this room does not know FastAPI."""

    openapi_schema: Described | None

    def openapi(self) -> Described:
        """Give the document; made when it is asked for the first time."""
        ...


def complete_openapi(app: Describing, complete: Callable[[Described], None]) -> None:
    """Have `complete` change the application's OpenAPI document when it is asked for the first time."""
    found = app.openapi

    def completed() -> Described:
        if app.openapi_schema is None:
            complete(found())
        return app.openapi_schema or {}

    app.openapi = completed  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def with_problem_schema(app: Describing) -> None:
    """Add the schema of Problem to the application's OpenAPI document: FastAPI adds those of answers alone."""

    def add(document: Described) -> None:
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[Problem.__name__] = Problem.model_json_schema()

    complete_openapi(app, add)

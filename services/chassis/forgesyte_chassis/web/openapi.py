"""Completes the OpenAPI document of an application with what its framework cannot derive."""

from collections.abc import Callable
from typing import Any, Protocol

from forgesyte_contracts.http.problems import Problem

Described = dict[str, Any]

PROBLEM_SCHEMA: Described = {"schema": {"$ref": "#/components/schemas/Problem"}}
"""How a route refers to the schema of its refusals; with_problem_schema() adds that schema to the document."""


class Describing(Protocol):
    """The part of a FastAPI application that is needed here; chassis does not import FastAPI."""

    openapi_schema: Described | None

    def openapi(self) -> Described:
        """Return the document, which is built on the first call."""
        ...


def complete_openapi(app: Describing, complete: Callable[[Described], None]) -> None:
    """Have `complete` change the application's OpenAPI document when it is first requested."""
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

"""Completes the OpenAPI document of an application with what its framework cannot derive."""

from collections.abc import Callable
from typing import Any, Protocol

Described = dict[str, Any]


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

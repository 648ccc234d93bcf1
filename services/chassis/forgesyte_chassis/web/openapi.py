"""Completes the OpenAPI document of an application with what its framework does not find out by itself."""

from collections.abc import Callable
from typing import Any, Protocol

Described = dict[str, Any]


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

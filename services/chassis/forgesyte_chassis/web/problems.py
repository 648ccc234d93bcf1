"""Turns exceptions into problem documents (RFC 9457, application/problem+json), in this one place.

install() works for Starlette and for FastAPI without importing the latter. An unexpected exception is logged once and
answered as INTERNAL; its text never leaves the process.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable

import orjson
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forgesyte_contracts.problems import CODE_FACTS, Code, CodeFacts, ForgeSyteError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""The value of `Retry-After`, in seconds, unless the error has a better one (its data `retry_after_s`)."""

MAX_FIELD_ERRORS = 20
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_INTERNAL_TEXT = (
    "An internal error occurred; the service's log has the details. Try again, and report it if it keeps happening."
)

_CODE_OF_STATUS = {
    401: Code.KEY_MISSING,
    403: Code.KEY_REFUSED,
    404: Code.ROUTE_UNKNOWN,
    413: Code.MEDIA_TOO_LARGE,
    429: Code.TOO_MANY_REQUESTS,
    503: Code.SERVICE_UNAVAILABLE,
}

log = structlog.get_logger(__name__)


def problem_document(error: ForgeSyteError, *, status: int | None = None) -> dict[str, Any]:
    """Return the problem document of an error: type, title, status, detail, code, and its data (job_id, plugin, ...).

    The text of an INTERNAL error is not shown. `status` replaces that of the code, and the title with it.
    """
    facts = CODE_FACTS[error.code]
    if status is not None and status != facts.status:
        facts = CodeFacts(status, HTTPStatus(status).phrase)
    detail = _INTERNAL_TEXT if error.code is Code.INTERNAL else error.detail
    known = {name: value for name, value in error.data.items() if value is not None}
    return {**known, **_document(error.code, facts.title, facts.status, detail)}


def problem_response(error: ForgeSyteError, *, status: int | None = None) -> Response:
    """Return the response for an error, with `Retry-After` if the same request may succeed later.

    `status` replaces that of the code.
    """
    document = problem_document(error, status=status)
    headers: dict[str, str] = {}
    if error.retryable:
        headers["Retry-After"] = str(error.data.get("retry_after_s") or RETRY_AFTER_S)
    if error.code is Code.KEY_MISSING:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(document, headers)


def problem_of_status(status: int, detail: str) -> Response:
    """Return the response for a request that HTTP itself rules out: malformed, too slow, too large, one too many."""
    code = _CODE_OF_STATUS.get(status, Code.REQUEST_INVALID)
    facts = CODE_FACTS[code]
    title = facts.title if facts.status == status else HTTPStatus(status).phrase
    headers = {"Retry-After": str(RETRY_AFTER_S)} if facts.retryable else None
    return _response(_document(code, title, status, detail), headers)


@runtime_checkable
class _FieldErrors(Protocol):
    """The part of FastAPI's RequestValidationError that is needed here; chassis does not import FastAPI."""

    def errors(self) -> Sequence[Mapping[str, Any]]: ...


def install(app: Starlette) -> None:
    """Register the handlers on an application (Starlette or FastAPI); call it before the application starts.

    A ForgeSyteError is answered with its own document, a validation error as REQUEST_INVALID with the field's path, an
    HTTPException of the framework with its status; anything else is logged once and answered as INTERNAL.
    """
    app.add_exception_handler(ForgeSyteError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    for kind in list(app.exception_handlers):
        # FastAPI registers its own handler for this class when it is constructed; only its name is known here
        if isinstance(kind, type) and kind.__name__ == "RequestValidationError":
            app.add_exception_handler(kind, _on_validation_error)
    app.add_middleware(_LastResort)


def _document(code: Code, title: str, status: int, detail: str) -> dict[str, Any]:
    kind = f"urn:forgesyte:problem:{code.value.lower().replace('_', '-')}"
    return {"type": kind, "title": title, "status": status, "detail": detail, "code": code.value}


def _response(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), document["status"], dict(headers or {}), MEDIA_TYPE)


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ForgeSyteError)  # noqa: S101 - narrows for the type checker; registered for this class
    facts = {"method": request.method, "path": request.url.path, "code": error.code.value}
    if error.code is Code.INTERNAL:
        log.error("request failed", **facts, exc_info=error)
    elif CODE_FACTS[error.code].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", **facts, detail=error.detail, cause=repr(error.__cause__))
    return problem_response(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows for the type checker; registered for this class
    usual = Code.INTERNAL if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else Code.REQUEST_INVALID
    code = _CODE_OF_STATUS.get(error.status_code, usual)
    phrase = HTTPStatus(error.status_code).phrase
    detail = _INTERNAL_TEXT if code is Code.INTERNAL else str(error.detail)
    if detail == phrase:
        detail = f"{request.method} {request.url.path}: {phrase.lower()}"
    title = CODE_FACTS[code].title if CODE_FACTS[code].status == error.status_code else phrase
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return _response(_document(code, title, error.status_code, detail), headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return every method that the path of a request has a route for; the framework names those of one route only."""
    routes = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method for method, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, _FieldErrors)  # noqa: S101 - narrows for the type checker; registered for such a class
    found = list(error.errors())[:MAX_FIELD_ERRORS]
    fields = [{"field": ".".join(map(str, one["loc"])), "message": str(one["msg"])} for one in found]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in fields) or "the request is invalid"
    facts = CODE_FACTS[Code.REQUEST_INVALID]
    document = {**_document(Code.REQUEST_INVALID, facts.title, facts.status, detail), "errors": fields}
    # Where in the request it stands (query, path, header) goes before the name itself; a body as a whole has none.
    if found and (name := ".".join(map(str, found[0]["loc"][1:]))):
        document["field"] = name
    return _response(document)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    text = "The client disconnected before the request was complete."  # it only ends the request, no client sees it
    return problem_response(ForgeSyteError(Code.REQUEST_INVALID, text))


class _LastResort:
    """Catches unhandled exceptions inside Starlette's own catch-all, which would raise and log them a second time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception:  # the HTTP border: whatever it is, the client gets INTERNAL and the log one line
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not begun:  # otherwise the server sees an unfinished response and closes the connection
                error = ForgeSyteError(Code.INTERNAL, _INTERNAL_TEXT)
                await problem_response(error)(scope, receive, send)

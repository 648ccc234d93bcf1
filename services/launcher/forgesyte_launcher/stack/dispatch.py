"""One port for several applications: the route table says which of them answers.

Nothing is rewritten, redirected or guessed: `/v1/plugins` and `/v1/plugins/` are two routes because the table has both,
and a request for any other path is refused here, unless it is for the page. Rejected: mounting the applications,
because each mount needs a path prefix of its own and the routes have none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from forgesyte_chassis.web.problems import problem_response
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import ROUTES, Route

_FIELD = re.compile(r"\{\w+\}")
_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class _Entry:
    method: str
    pattern: re.Pattern[str]
    app: ASGIApp
    has_sockets: bool


class PageFinder(Protocol):
    """What may answer a request that no route is for."""

    async def find(self, scope: Scope) -> ASGIApp | None:
        """Return what answers this HTTP request; None if it is for no part of the page."""


class RouteDispatcher:
    """An ASGI application that passes each request and each WebSocket to the application of its service.

    Args:
        apps: service name -> application; the caller runs their lifespans.
        routes: the table.
        own: path -> application for paths that this process answers by itself.
        page: is asked about GET and HEAD of the paths that are not in the table.
    """

    def __init__(
        self,
        apps: Mapping[str, ASGIApp],
        *,
        routes: Iterable[Route] = ROUTES,
        own: Mapping[str, ASGIApp] | None = None,
        page: PageFinder | None = None,
    ) -> None:
        self._page = page
        owners = own or {}
        self._entries = [
            _Entry(
                route.method,
                _pattern(route.path),
                owners.get(route.path) or apps[route.service],
                route.has_socket,
            )
            for route in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        app = self._find(scope)
        if app is None and self._page and scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            app = await self._page.find(scope)
        if app is None:
            await _refuse(scope, receive, send)
        else:
            await app(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp | None:
        is_socket = scope["type"] == "websocket"
        method = "GET" if is_socket or scope["method"] == "HEAD" else scope["method"]
        matching = [
            entry
            for entry in self._entries
            if entry.pattern.fullmatch(scope["path"]) and (entry.has_sockets or not is_socket)
        ]
        # A request for a known path with another method goes to its application too, which says what it allows.
        best = next((entry for entry in matching if entry.method == method), matching[0] if matching else None)
        return best.app if best else None


def _pattern(path: str) -> re.Pattern[str]:
    """Turn an OpenAPI path into a pattern; a field matches one part of the path and is never empty."""
    return re.compile("[^/]+".join(map(re.escape, _FIELD.split(path))))


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    method = "WebSocket" if scope["type"] == "websocket" else scope["method"]
    text = f"{method} {scope['path'][:_SHOWN_CHARS]} not found; GET /openapi.json lists every route."
    # A WebSocket is refused in its handshake with the same document.
    await problem_response(ForgeSyteError(Code.ROUTE_UNKNOWN, text))(scope, receive, send)

"""One port for several applications: the route table says which of them answers.

Nothing is rewritten, redirected or guessed: `/v1/plugins` and `/v1/plugins/` are two addresses because the table holds
both, and what it does not hold is answered here. Mounting the applications under each other was rejected: a mount needs
a prefix of its own for each, and the table has none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from forgesyte_chassis.web.problems import problem_response
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import REALTIME_GATEWAY, ROUTES, Route

_FIELD = re.compile(r"\{\w+\}")
_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class _Place:
    method: str
    pattern: re.Pattern[str]
    app: ASGIApp
    has_sockets: bool


class RouteDispatcher:
    """An ASGI application that hands each request and each socket to the application of its service.

    Args:
        apps: service name -> application; their lifespans are the caller's business.
        routes: the table.
        own: path -> application for what this process answers by itself to GET.
    """

    def __init__(
        self,
        apps: Mapping[str, ASGIApp],
        *,
        routes: Iterable[Route] = ROUTES,
        own: Mapping[str, ASGIApp] | None = None,
    ) -> None:
        owners = own or {}
        self._places = [
            _Place(
                route.method,
                _pattern(route.path),
                (owners.get(route.path) if route.method == "GET" else None) or apps[route.service],
                route.service == REALTIME_GATEWAY,
            )
            for route in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        app = self._find(scope)
        if app is None:
            await _refuse(scope, receive, send)
        else:
            await app(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp | None:
        is_socket = scope["type"] == "websocket"
        asked = "GET" if is_socket or scope["method"] == "HEAD" else scope["method"]
        places = [
            place
            for place in self._places
            if place.pattern.fullmatch(scope["path"]) and (place.has_sockets or not is_socket)
        ]
        # A known address asked in another way goes to its application too, which says what it takes.
        best = next((place for place in places if place.method == asked), places[0] if places else None)
        return best.app if best else None


def _pattern(path: str) -> re.Pattern[str]:
    """Turn OpenAPI's way to write a path into a pattern; a field is one part of the path and never empty."""
    return re.compile("[^/]+".join(map(re.escape, _FIELD.split(path))))


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    asked = "WebSocket" if scope["type"] == "websocket" else scope["method"]
    text = f"{asked} {scope['path'][:_SHOWN_CHARS]} is no address here; GET /openapi.json lists them all."
    # A socket is refused in its handshake by the same document.
    await problem_response(ForgeSyteError(Code.ROUTE_UNKNOWN, text))(scope, receive, send)

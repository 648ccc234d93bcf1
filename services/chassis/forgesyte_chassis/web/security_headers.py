"""What every answer tells a browser, whatever it is: guess no type, run nothing, show it in no other site's frame.

A route that needs other words sets its own, which stay: a page its policy, media the one below. What is answered to an
address that holds a key is never stored, whatever the route says: a cache keeps the address with it.
"""

import re

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .known_parameters import API_KEY

MEDIA_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "sandbox allow-same-origin"
)
"""The Content-Security-Policy of media that came from users: a browser may show a picture or a video by itself, but
should it take the bytes for a document, no script in it runs. A sandbox of another origin would be stricter, but then
Chromium does not load a video into the document that it makes around it."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""The headers of an answer that sets none of its own: fit for JSON, text and metrics."""

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'{sockets}; "
    "style-src 'self' 'unsafe-inline'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


def page_policy(host: str) -> str:
    """Return the Content-Security-Policy of ForgeSyte's own page: everything from its own origin, and nothing else.

    Previews come as data URLs, pictures and videos that the page made as blobs, and its library of components writes
    style attributes.

    Args:
        host: the request's Host. Its sockets are named too, because 'self' means them only in newer browsers.
    """
    return _PAGE_POLICY.format(sockets=f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else "")


_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class SecurityHeaders:
    """ASGI middleware that adds the headers to every answer of `app`, also to those that refuse a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if API_KEY in QueryParams(scope["query_string"]):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)

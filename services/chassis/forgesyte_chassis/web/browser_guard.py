"""Keeps the pages of other sites from using a service through the browser of a user who can reach it.

A browser sends requests to this machine for any page that it shows, and a service without keys would obey them. Two
headers that no page can change say where a request comes from. `Host` is the name under which the browser reached this
port: on loopback that is a name of loopback, and any other means that another site's name was made to point here (DNS
rebinding). `Origin` is the site of the page: whatever changes something, and every socket, is refused to other sites.
Reading is not refused, because a browser hides answers from a page of another site unless they permit it (CORS).

A port bound elsewhere is reached under names that cannot be known here (probes, Prometheus, an ingress), and needs keys
that no page of another site has: there, neither header is judged.

Rejected: a token in each request (programs would need one too); Sec-Fetch-Site (browsers leave it out on plain HTTP
to anything but loopback, and `Origin` says the same).
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from forgesyte_chassis.origins import is_loopback, read_host, read_origin
from forgesyte_contracts.problems import Code, ForgeSyteError

from .allowed_pages import AllowedPages
from .problems import problem_response

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_SHOWN_CHARS = 100
_READABLE_HEADERS = (
    "Location", "Retry-After", "X-Job-Status", "Forgesyte-Playable", "Preference-Applied", "Content-Range",
    "Content-Disposition", "ETag",
)  # fmt: skip


class BrowserGuard:
    """ASGI middleware in front of everything that a port answers.

    Args:
        app: the application that answers.
        bound_to: the address that the port listens on.
        allowed: what the operator allows.
    """

    def __init__(self, app: ASGIApp, *, bound_to: str, allowed: AllowedPages) -> None:
        self._app = app
        self._allowed = allowed
        self._is_local = is_loopback(bound_to)
        # Asked for origins that are allowed, and for no other: it therefore needs no list of its own.
        self._readable = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_methods=["*"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=_READABLE_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; a socket is refused before its upgrade."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._is_local and (refusal := self._refusal(scope, headers)) is not None:
            await problem_response(refusal, status=HTTPStatus.FORBIDDEN)(scope, receive, send)
            return
        origins = headers.getlist("origin")
        is_readable = len(origins) == 1 and self._allowed.has_origin(origins[0])
        await (self._readable if is_readable else self._app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> ForgeSyteError | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        # Without any Host it is no browser; two of them may be read differently by something in between.
        if len(hosts) > 1 or any(not self._is_own_name(host) for host in hosts):
            return self._foreign_host(", ".join(hosts))
        is_socket = scope["type"] == "websocket"
        if is_socket or scope["method"] not in SAFE_METHODS:
            foreign = [origin for origin in origins if not self._is_own_page(origin, hosts)]
            if foreign or len(origins) > 1:
                return self._foreign_origin(", ".join(origins), is_socket=is_socket)
        return None

    def _is_own_name(self, text: str) -> bool:
        host = read_host(text)
        return host is not None and (is_loopback(host.name) or self._allowed.has_host(host))

    def _is_own_page(self, text: str, hosts: list[str]) -> bool:
        origin = read_origin(text)
        if origin is None:
            return False
        scheme, page = origin
        own = read_host(hosts[0]) if hosts else None
        return self._allowed.has_origin(text) or (own is not None and own.with_port_of(scheme) == page)

    def _foreign_host(self, found: str) -> ForgeSyteError:
        text = (
            f"Host is {found[:_SHOWN_CHARS]!r}, but this port answers to localhost, 127.0.0.1 and [::1] only, so that "
            "no page of another site can use it by a name that points here. If the name is meant for this service, add "
            f"it to the setting {self._allowed.hosts_setting}."
        )
        return ForgeSyteError(Code.REQUEST_INVALID, text, field="Host")

    def _foreign_origin(self, found: str, *, is_socket: bool) -> ForgeSyteError:
        what = "open sockets" if is_socket else "change anything"
        text = (
            f"Origin is {found[:_SHOWN_CHARS]!r}, and pages of other sites may not {what} here. If the page is yours, "
            f"add its origin to the setting {self._allowed.origins_setting}."
        )
        return ForgeSyteError(Code.REQUEST_INVALID, text, field="Origin")

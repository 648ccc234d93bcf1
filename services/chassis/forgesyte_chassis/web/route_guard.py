"""The one dependency through which every request of an application goes: may this key do this, and does the route know
what it is asked?
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import scope_of

from .keys import KeyRing, presented_key
from .known_parameters import require_known_parameters


def route_guard(keys: KeyRing) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency that lets a request through if its key has the scope that the route table requires and its
    route knows every query parameter; `request.state.key_name` is then the key's name.

    The dependency raises ForgeSyteError: KEY_MISSING, KEY_REFUSED; ROUTE_UNKNOWN for a path that is not in the
    table; REQUEST_INVALID for a query parameter that is unknown or wrongly repeated.
    """

    async def authorise(request: Request) -> None:
        path = getattr(request.scope.get("route"), "path", None)
        if path is None:
            raise ForgeSyteError(Code.ROUTE_UNKNOWN, f"{request.method} {request.url.path} is not in the route table")
        method = "GET" if request.method == "HEAD" else request.method  # the same request without a body
        key_name = keys.authorise(presented_key(request.headers, request.query_params), scope_of(method, path))
        require_known_parameters(request)  # only now: who may not ask learns nothing about the route
        request.state.key_name = key_name
        bind_contextvars(key=key_name)

    return authorise

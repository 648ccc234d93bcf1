"""The one dependency through which every request goes: may this key do this?"""

from fastapi import Request
from structlog.contextvars import bind_contextvars

from forgesyte_chassis.keys import presented_key
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import scope_of

from .state import State


async def authorise(request: Request, state: State) -> None:
    """Let the request through when its key holds the scope that the route table asks for.

    Raises:
        ForgeSyteError: KEY_MISSING, KEY_REFUSED; ROUTE_UNKNOWN for a path that the route table does not hold.
    """
    path = getattr(request.scope.get("route"), "path", None)
    if path is None:
        raise ForgeSyteError(Code.ROUTE_UNKNOWN, f"{request.method} {request.url.path} is not in the route table")
    scope = scope_of(request.method, path)
    bind_contextvars(key=state.keys.authorise(presented_key(request.headers, request.query_params), scope))

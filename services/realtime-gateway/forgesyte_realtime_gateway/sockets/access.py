"""Checks a connection's API key, wherever it is carried, and its session id."""

import re

from starlette.requests import HTTPConnection

from forgesyte_chassis.web.keys import KeyRing, presented_key
from forgesyte_contracts.realtime import SUBPROTOCOL, SUBPROTOCOL_KEY_PREFIX
from forgesyte_contracts.routes import scope_of

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


def authorise(keys: KeyRing, connection: HTTPConnection, path: str) -> str:
    """Check that the key of a request or a socket has the scope that the route table asks for.

    Args:
        keys: the API keys and their scopes.
        connection: the request, or the socket's handshake.
        path: the route's path, as in the route table.

    Returns:
        The key's name.

    Raises:
        ForgeSyteError: KEY_MISSING, KEY_REFUSED.
    """
    presented = presented_key(connection.headers, connection.query_params) or _offered_key(connection)
    return keys.authorise(presented, scope_of("GET", path))


def _offered_key(connection: HTTPConnection) -> str | None:
    for offered in connection.scope.get("subprotocols", ()):
        if offered.startswith(SUBPROTOCOL_KEY_PREFIX):
            return str(offered.removeprefix(SUBPROTOCOL_KEY_PREFIX)) or None
    return None


def chosen_subprotocol(offered: list[str]) -> str | None:
    """Choose one of the subprotocols that a client offers: a browser gives up when none is chosen.

    The key itself is chosen only when the client offers nothing else.
    """
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return next((name for name in offered if name.startswith(SUBPROTOCOL_KEY_PREFIX)), None)


def is_session_id(text: str) -> bool:
    """Whether `text` may name a session: 1 to 64 characters of `A-Z a-z 0-9 _ -`."""
    return _SESSION.fullmatch(text) is not None

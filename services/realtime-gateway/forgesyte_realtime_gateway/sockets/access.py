"""Whether a connection may be: its key, from wherever it can be carried, and its session."""

import re

from starlette.requests import HTTPConnection

from forgesyte_chassis.web.keys import KeyRing, presented_key
from forgesyte_contracts.realtime import SUBPROTOCOL, SUBPROTOCOL_KEY_PREFIX
from forgesyte_contracts.routes import scope_of

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


def authorise(keys: KeyRing, connection: HTTPConnection, path: str) -> str:
    """Let a request or a socket in when its key holds the scope of the route table.

    Args:
        keys: who may do what.
        connection: the request, or the socket's handshake.
        path: the route's path as the route table writes it.

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
    """Choose one of the subprotocols a client offers: a browser gives up when none of them is.

    Only a client that offers nothing but its key gets that back.
    """
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return next((name for name in offered if name.startswith(SUBPROTOCOL_KEY_PREFIX)), None)


def is_session_id(text: str) -> bool:
    """Whether `text` may name a session: 1 to 64 characters of `A-Z a-z 0-9 _ -`."""
    return _SESSION.fullmatch(text) is not None

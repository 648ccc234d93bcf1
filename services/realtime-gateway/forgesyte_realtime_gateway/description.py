"""The protocol as data: the answer to a plain GET on /v1/realtime, and what OpenAPI says about that route."""

from functools import cache
from typing import Any

from forgesyte_chassis.web.openapi import PROBLEM_SCHEMA
from forgesyte_chassis.web.problems import MEDIA_TYPE
from forgesyte_contracts.realtime import SUBPROTOCOL, SUBPROTOCOL_KEY_PREFIX, CloseCode, message_schemas

from .settings import GatewaySettings

_PROBLEM = {MEDIA_TYPE: PROBLEM_SCHEMA}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The protocol as JSON; or the events, for a client that accepts text/event-stream.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    },
    401: {"description": "No API key, or an unknown one", "content": _PROBLEM},
    403: {"description": "The API key lacks the scope", "content": _PROBLEM},
    422: {"description": "A query parameter is unknown or not valid", "content": _PROBLEM},
    429: {"description": "The session has too many connections", "content": _PROBLEM},
}
"""What a GET on /v1/realtime is answered, for OpenAPI."""

_JOB = {"type": "object", "properties": {"job_id": {"type": "string", "format": "uuid"}}, "required": ["job_id"]}
_CLOSE_TEXTS = {
    CloseCode.NORMAL: "the service is stopping, or the client closed the connection; connect again",
    CloseCode.UNAUTHORISED: "no API key, an unknown one, or one without the scope `stream`; or too many frames",
    CloseCode.BAD_SESSION: "session_id must be 1 to 64 characters of A-Z a-z 0-9 _ -",
    CloseCode.SESSION_FULL: "the session already has the most connections it may have",
    CloseCode.TOO_SLOW: "the client did not read fast enough, or sent nothing for too long",
}


@cache
def describe(settings: GatewaySettings) -> dict[str, Any]:
    """Return the addresses, the messages with their JSON Schemas, and the close codes."""
    return {
        "protocol": SUBPROTOCOL,
        "websocket": "/v1/realtime?job_id=&plugin=&session_id=&since=",
        "server_sent_events": "/v1/realtime?job_id=&plugin=&session_id=&since= with Accept: text/event-stream",
        "flat_events": "/ws/jobs/{job_id}",
        "authentication": {
            "scope": "stream",
            "headers": ["X-API-Key", "Authorization: Bearer"],
            "query": "api_key",
            "subprotocol": f"{SUBPROTOCOL_KEY_PREFIX}<key>",
        },
        "ping_interval_seconds": settings.ping_every_s,
        "silence_seconds": settings.silence_s,
        "session_capacity": settings.session_capacity,
        "server_messages": message_schemas(),
        "client_messages": client_messages(),
        "close_codes": {str(int(code)): text for code, text in _CLOSE_TEXTS.items()},
    }


def client_messages() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each message that a client may send, by its type."""
    return {
        "ping": _client_message("ping"),
        "pong": _client_message("pong"),
        "subscribe": _client_message("subscribe", _JOB),
        "unsubscribe": _client_message("unsubscribe", _JOB),
    }


def _client_message(kind: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": {"const": kind}, "payload": payload or {"type": "object"}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["type"] if payload is None else ["type", "payload"],
    }

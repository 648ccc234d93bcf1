"""The sockets as an AsyncAPI 3.0 document: what OpenAPI is for the routes. No setting changes it, so it is made once.

The schemas of the messages are those of contracts; here stand the channels on which they travel, and which side sends
them.
"""

from functools import cache
from importlib.metadata import version
from typing import Any

from forgesyte_contracts.realtime import (
    FLAT_ENDING,
    FLAT_PROGRESS,
    SUBPROTOCOL,
    SUBPROTOCOL_KEY_PREFIX,
    MessageType,
    message_name,
    named_schemas,
)

from .description import client_messages
from .sockets.stream_query import StreamQuery

Document = dict[str, Any]

_DESCRIPTION = (
    "What ForgeSyte sends to those who watch a job. docs/realtime.md explains it with examples, the close codes and "
    "how to reconnect. The routes beside it are described in /openapi.json."
)
_REALTIME = (
    f"A WebSocket, with the subprotocol {SUBPROTOCOL} for a client that offers it. With `Accept: text/event-stream` "
    "the same messages are sent as server-sent events, and any other GET is answered with a description as JSON."
)
_FLAT = "A WebSocket for one job with events that have no envelope. /v1/ws/jobs/{job_id} is the same."
_KEY = (
    "Needed only where the operator configured API keys: one with the scope `stream`. A browser offers the key as the "
    f"subprotocol {SUBPROTOCOL_KEY_PREFIX}KEY beside {SUBPROTOCOL}."
)
_SCHEMAS = "#/components/schemas/"


@cache
def asyncapi_document() -> Document:
    """Return the AsyncAPI document of every socket."""
    realtime = {kind.value: message_name(kind) for kind in MessageType}
    asked = {f"client_{kind}": f"Client{kind.title()}" for kind in client_messages()}
    flat = {"flat_progress": FLAT_PROGRESS, "flat_ending": FLAT_ENDING}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ForgeSyte realtime",
            "version": version("forgesyte-realtime-gateway"),
            "description": _DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": {"local": _server()},
        "channels": {
            "realtime": _realtime_channel([*realtime, *asked]),
            "job": _job_channel([*flat, "client_ping", "flat_pong"]),
        },
        "operations": {
            "send_messages": _operation("send", "realtime", realtime),
            "receive_messages": _operation("receive", "realtime", asked),
            "send_events": _operation("send", "job", [*flat, "flat_pong"]),
            "receive_pings": _operation("receive", "job", ["client_ping"]),
        },
        "components": {
            "messages": {name: _message(name, schema) for name, schema in {**realtime, **asked, **flat}.items()}
            | {"flat_pong": _message("flat_pong", "FlatPong")},
            "schemas": _schemas(),
            "securitySchemes": _keys(),
        },
    }


def _server() -> Document:
    return {
        "host": "127.0.0.1:8000",
        "protocol": "ws",
        "description": "Where `forgesyte up` listens unless it is told otherwise.",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _keys()],
    }


def _keys() -> Document:
    return {
        "header": {"type": "httpApiKey", "name": "X-API-Key", "in": "header", "description": _KEY},
        "query": {"type": "httpApiKey", "name": "api_key", "in": "query", "description": _KEY},
        "bearer": {"type": "http", "scheme": "bearer", "description": _KEY},
    }


def _realtime_channel(messages: list[str]) -> Document:
    query = StreamQuery.model_json_schema()
    return {
        "address": "/v1/realtime",
        "title": "Every message about the jobs that a client watches",
        "description": _REALTIME,
        "messages": _message_references(messages),
        "bindings": {"ws": {"method": "GET", "query": {"type": "object", "properties": query["properties"]}}},
    }


def _job_channel(messages: list[str]) -> Document:
    return {
        "address": "/ws/jobs/{job_id}",
        "title": "Progress and ending of one job",
        "description": _FLAT,
        "parameters": {"job_id": {"description": "The id that a submit returned."}},
        "messages": _message_references(messages),
        "bindings": {"ws": {"method": "GET"}},
    }


def _message_references(names: list[str]) -> Document:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operation(action: str, channel: str, names: Document | list[str]) -> Document:
    """Describe one direction, as the server sees it."""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _message(name: str, schema: str) -> Document:
    return {"name": name, "contentType": "application/json", "payload": {"$ref": f"{_SCHEMAS}{schema}"}}


def _schemas() -> Document:
    """The schemas of contracts, and of what clients send."""
    from_clients = {f"Client{kind.title()}": schema for kind, schema in client_messages().items()}
    any_of_these = {
        "description": "Any message that a client may send on /v1/realtime.",
        "oneOf": [{"$ref": f"{_SCHEMAS}{name}"} for name in from_clients],
    }
    pong = {"type": "object", "properties": {"type": {"const": "pong"}}, "required": ["type"]}
    return {**named_schemas(), **from_clients, "ClientMessage": any_of_these, "FlatPong": pong}

"""The messages as named JSON Schemas that refer to one another, for documents that list them and for types.

The schemas of envelope.py stand each for itself instead: a client can check a message with one of them alone.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .envelope import RealtimeMessage
from .flat import ProgressEvent
from .payloads import PAYLOADS, MessageType

SERVER_MESSAGE = "ServerMessage"
"""The name of the schema of any message that the server sends in an envelope."""

FLAT_PROGRESS, FLAT_ENDING = ProgressEvent.__name__, "EndingEvent"
"""The names of the schemas of the flat events."""

_AT = "#/components/schemas/{model}"


def message_name(kind: MessageType) -> str:
    """Return the name of the schema of a whole message.

    >>> message_name(MessageType.PLUGIN_STATUS)
    'PluginStatusMessage'
    """
    return PAYLOADS[kind].__name__.replace("Payload", "Message")


@cache
def named_schemas() -> dict[str, dict[str, Any]]:
    """Return, by name, the schemas of payloads and their parts, of the nine messages, of any of them, and of the flat
    events. References begin with `#/components/schemas/`, as in OpenAPI and AsyncAPI.
    """
    models: list[type[BaseModel]] = [*PAYLOADS.values(), RealtimeMessage, ProgressEvent]
    _, found = models_json_schema([(model, "validation") for model in models], by_alias=True, ref_template=_AT)
    schemas = found["$defs"]
    schemas |= {message_name(kind): _message(kind) for kind in PAYLOADS}
    schemas[SERVER_MESSAGE] = {
        "description": "Any message that the server sends; `type` says which.",
        "oneOf": [{"$ref": _AT.format(model=message_name(kind))} for kind in PAYLOADS],
    }
    schemas[FLAT_PROGRESS] = _flat_progress(schemas[FLAT_PROGRESS])
    schemas[FLAT_ENDING] = {
        "description": "How the job ended: the last flat event.",
        "oneOf": [_flat_ending("completed"), _flat_ending("cancelled"), _flat_ending("error", message="string")],
    }
    return dict(sorted(schemas.items()))


def _message(kind: MessageType) -> dict[str, Any]:
    model = PAYLOADS[kind]
    return {
        "description": (model.__doc__ or "").strip().partition("\n")[0],
        **_object(
            {
                "type": {"const": kind.value},
                "payload": {"$ref": _AT.format(model=model.__name__)},
                "timestamp": {"type": "string", "format": "date-time"},
                "seq": {"type": "integer", "minimum": 1},
            },
            optional=("seq",),
        ),
    }


def _flat_progress(model: dict[str, Any]) -> dict[str, Any]:
    """Describe the event as it is sent: with its percentage, and without what is only used to count it."""
    unsent = {name for name, field in ProgressEvent.model_fields.items() if field.exclude}
    sent = {name: schema for name, schema in model["properties"].items() if name not in unsent}
    sent["percent"] = {"type": "integer", "minimum": 0, "maximum": 100}
    return {
        "description": "How far a job is.",
        **_object(sent, optional=("current_tool", "tools_total", "tools_completed")),
    }


def _flat_ending(status: str, **more: str) -> dict[str, Any]:
    texts = {name: {"type": kind} for name, kind in more.items()}
    return _object({"status": {"const": status}, "job_id": {"type": "string"}, **texts})


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }

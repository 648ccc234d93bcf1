"""The envelope around every message in both directions: as a model, as bytes and as JSON Schema."""

from datetime import UTC, datetime
from enum import IntEnum
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.jobs import Moment

from .payloads import PAYLOADS, MessageType, Payload

SUBPROTOCOL = "forgesyte.realtime"
"""The subprotocol that a client offers first, if it offers any; the server chooses it."""

SUBPROTOCOL_KEY_PREFIX = "forgesyte.key."
"""A browser cannot set headers on a socket, so it offers `forgesyte.key.<key>` beside SUBPROTOCOL."""


class CloseCode(IntEnum):
    """Why the server closed a socket."""

    NORMAL = 1000
    """The service is stopping; reconnect at once, and another replica answers."""

    UNAUTHORISED = 1008
    """No API key, an unknown one, or one without the scope `stream`; or the client sent more frames than it may."""

    BAD_SESSION = 4000
    """`session_id` is not 1 to 64 characters of `A-Z a-z 0-9 _ -`."""

    SESSION_FULL = 4001
    """The session already has the most sockets it may have."""

    TOO_SLOW = 4008
    """The client did not read fast enough, or sent nothing for too long."""


class RealtimeMessage(BaseModel):
    """The envelope. `seq` is the record's revision; only messages made from the record have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: MessageType
    payload: dict[str, Any]
    timestamp: Moment
    seq: int | None = Field(default=None, ge=1)


def parse_message(data: bytes | str) -> tuple[RealtimeMessage, Payload]:
    """Read a message as a strict client does.

    Returns:
        The envelope, and its payload as the model of its type.

    Raises:
        pydantic.ValidationError: the envelope or the payload breaks the contract.
    """
    message = RealtimeMessage.model_validate_json(data)
    return message, PAYLOADS[message.type].model_validate_json(_payload_json(message))


def _payload_json(message: RealtimeMessage) -> str:
    return message.model_dump_json(include={"payload"})[len('{"payload":') : -1]


def envelope(payload: Payload, *, now: datetime | None = None, seq: int | None = None) -> bytes:
    """Make the finished envelope, once; every later hop forwards these bytes.

    Args:
        payload: one of the nine.
        now: the moment it is made, with a time zone; None takes the wall clock.
        seq: the record's revision, for messages made from the record.

    Returns:
        JSON without line breaks.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ending = f',"timestamp":"{moment}"}}' if seq is None else f',"timestamp":"{moment}","seq":{seq}}}'
    return f'{{"type":"{payload.TYPE}","payload":{payload.model_dump_json(by_alias=True)}{ending}'.encode()


@cache
def message_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (2020-12) of the whole message for each of the nine types."""
    return {kind.value: _schema(kind, model) for kind, model in PAYLOADS.items()}


def _schema(kind: MessageType, model: type[Payload]) -> dict[str, Any]:
    payload = model.model_json_schema(by_alias=True, mode="validation")
    definitions = payload.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.value,
        "type": "object",
        "properties": {
            "type": {"const": kind.value},
            "payload": payload,
            "timestamp": {"type": "string", "format": "date-time"},
            "seq": {"type": "integer", "minimum": 1},
        },
        "required": ["type", "payload", "timestamp"],
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }

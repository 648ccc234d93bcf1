"""The messages a client of /v1/realtime may send: ping, pong, subscribe, unsubscribe.

Anything else is answered with an error, and the socket stays open.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import MessageType, PongPayload, envelope
from forgesyte_realtime_gateway.clients.client import Client
from forgesyte_realtime_gateway.messages.message import Message

from .gateway import Gateway, job_id_of

_SHOWN_CHARS = 80


async def take(gateway: Gateway, client: Client, data: str | bytes) -> None:
    """Do what a client's message asks for, or answer with the error in it."""
    try:
        await _obey(gateway, client, _read(data, gateway.settings.client_text_bytes))
    except ForgeSyteError as error:
        gateway.send_error(client, error.code, error.detail, job_id=_text(error.data.get("job_id")))


def _read(data: str | bytes, limit_bytes: int) -> dict[str, Any]:
    if len(data) > limit_bytes:
        text = f"A client's message may have at most {limit_bytes} bytes; this one has {len(data)}."
        raise ForgeSyteError(Code.MSG_INVALID_JSON, text)
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ForgeSyteError(Code.MSG_INVALID_JSON, f"Expected JSON, found {data[:_SHOWN_CHARS]!r}: {error}.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        text = 'Expected an object with `type`, like {"type": "ping"}.'
        raise ForgeSyteError(Code.MSG_MISSING_FIELD, text)
    return message


async def _obey(gateway: Gateway, client: Client, message: dict[str, Any]) -> None:
    match message["type"]:
        case "pong":
            return  # its arrival is all that matters
        case "ping":
            body = envelope(PongPayload(timestamp=datetime.now(UTC)))
            gateway.manager.send_to(client.id, Message(MessageType.PONG, body, made_s=gateway.clock.monotonic_s()))
        case "subscribe":
            await _subscribe(gateway, client, _job_id(message))
        case "unsubscribe":
            await gateway.watches.leave(client, _job_id(message))
        case other:
            text = f"Expected type ping, pong, subscribe or unsubscribe, found {other[:_SHOWN_CHARS]!r}."
            raise ForgeSyteError(Code.REQUEST_INVALID, text)


async def _subscribe(gateway: Gateway, client: Client, job_id: JobId) -> None:
    if job_id in client.jobs:
        return
    most = gateway.settings.jobs_a_client
    if len(client.jobs) >= most:
        text = f"A connection may watch at most {most} jobs. Unsubscribe from some, or open another connection."
        raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text, job_id=job_id)
    if not client.joins.take():
        per_s = gateway.settings.subscribe_per_s
        text = f"This connection subscribes too often: at most {per_s:g} times a second. Try again a little later."
        raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text, job_id=job_id)
    await gateway.watches.join(client, job_id)


def _job_id(message: dict[str, Any]) -> JobId:
    payload = message.get("payload")
    text = payload.get("job_id") if isinstance(payload, dict) else None
    if not isinstance(text, str):
        raise ForgeSyteError(Code.MSG_MISSING_FIELD, f"{message['type']} needs payload.job_id, a job's id as a string.")
    job_id = job_id_of(text)
    if job_id is None:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"payload.job_id: expected a UUID, found {text[:_SHOWN_CHARS]!r}.")
    return job_id


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

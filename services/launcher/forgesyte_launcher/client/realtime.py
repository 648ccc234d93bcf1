"""A client of the gateway's WebSocket: one connection, typed messages, pings answered.

Messages of unknown types are ignored, because a newer server may send more types.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from forgesyte_contracts.realtime import (
    CloseCode,
    Payload,
    PingPayload,
    PongPayload,
    RealtimeMessage,
    envelope,
    parse_message,
)

from .client import ApiClient, is_this_machine

PATH = "/v1/realtime"
MESSAGE_BYTES = 8 * 1024 * 1024
"""The longest message that is accepted; previews carry an image."""

_OPEN_S = 5.0
_CLOSE_S = 1.0

Received = tuple[RealtimeMessage, Payload]


class NoRealtime(Exception):
    """The job cannot be followed over a WebSocket of this server; the text says why."""


class ConnectionLost(Exception):
    """The connection ended or could not be made; a later attempt may succeed."""


@asynccontextmanager
async def listening(client: ApiClient, job_id: str, *, since: int | None) -> AsyncIterator[AsyncGenerator[Received]]:
    """Connect and yield the messages about a job as they arrive, until the block ends or the connection breaks.

    Args:
        client: the server's client; the WebSocket uses its address and its key.
        job_id: the job.
        since: the last received `seq`; None asks for the whole current state.

    Raises:
        NoRealtime: the server has no such WebSocket, or the key may not use it.
        ConnectionLost: the server is unreachable or closed the connection.
    """
    query = {"job_id": job_id} | ({} if since is None else {"since": str(since)})
    address = f"ws{client.server.removeprefix('http')}{PATH}?{urlencode(query)}"
    try:
        async with connect(
            address,
            additional_headers={"X-API-Key": client.api_key} if client.api_key else {},
            proxy=None if is_this_machine(client.server) else True,
            compression=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            max_size=MESSAGE_BYTES,
        ) as socket:
            yield _messages(socket)
    except InvalidStatus as refusal:
        status = refusal.response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ConnectionLost(f"the server answered {status}") from refusal
        raise NoRealtime(f"{PATH} answers {status} to a WebSocket") from refusal
    except ConnectionClosed as ending:
        code = ending.rcvd.code if ending.rcvd else None
        if code == CloseCode.UNAUTHORISED:
            raise NoRealtime(f"the key lacks the scope stream, which {PATH} needs") from ending
        raise ConnectionLost(f"closed with {code}" if code else "the connection broke") from ending
    except (OSError, InvalidHandshake) as error:  # a TimeoutError is an OSError
        raise ConnectionLost(str(error) or type(error).__name__) from error


async def _messages(socket: ClientConnection) -> AsyncGenerator[Received]:
    while True:
        try:
            message, payload = parse_message(await socket.recv())
        except ValidationError:
            continue
        if isinstance(payload, PingPayload):
            await socket.send(envelope(PongPayload(timestamp=datetime.now(UTC))).decode())
        else:
            yield message, payload

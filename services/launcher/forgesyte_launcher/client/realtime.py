"""The gateway's socket as a client sees it: one connection at a time, answers to pings, typed messages.

Messages of a type this version does not know are passed over: a newer server may send more.
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
"""The longest message that is taken in; previews carry a picture."""

_OPEN_S = 5.0
_CLOSE_S = 1.0

Heard = tuple[RealtimeMessage, Payload]


class NoRealtime(Exception):
    """This server will not be followed over a socket; the text says why."""


class ConnectionLost(Exception):
    """The connection ended or could not be made now; a later try may succeed."""


@asynccontextmanager
async def listening(client: ApiClient, job_id: str, *, since: int | None) -> AsyncIterator[AsyncGenerator[Heard]]:
    """Connect and give the messages about a job as they come; they go on until the block is left or the line breaks.

    Args:
        client: of the server; the socket goes to the same address with the same key.
        job_id: the job.
        since: the `seq` that was heard last; None asks for the whole current state.

    Raises:
        NoRealtime: there is no such socket at this address, or this key may not use it.
        ConnectionLost: the server is away, or closed the connection.
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
            raise ConnectionLost(f"it answered {status}") from refusal
        raise NoRealtime(f"{PATH} answers {status} to a WebSocket") from refusal
    except ConnectionClosed as ending:
        code = ending.rcvd.code if ending.rcvd else None
        if code == CloseCode.UNAUTHORISED:
            raise NoRealtime(f"the key may not use {PATH}, which needs the scope stream") from ending
        raise ConnectionLost(f"closed with {code}" if code else "the line broke") from ending
    except (OSError, InvalidHandshake) as error:  # a TimeoutError is an OSError
        raise ConnectionLost(str(error) or type(error).__name__) from error


async def _messages(socket: ClientConnection) -> AsyncGenerator[Heard]:
    while True:
        try:
            message, payload = parse_message(await socket.recv())
        except ValidationError:
            continue
        if isinstance(payload, PingPayload):
            await socket.send(envelope(PongPayload(timestamp=datetime.now(UTC))).decode())
        else:
            yield message, payload

"""The WebSocket endpoints as plain ASGI: `/v1/realtime`, and `/ws/jobs/{job_id}` with the flat events.

A socket is accepted before it is refused, because only then does a browser show the close code.
"""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import CloseCode, MessageType
from forgesyte_realtime_gateway.clients.client import Client, ClientFacts, HangUp
from forgesyte_realtime_gateway.clients.connections import SessionFull
from forgesyte_realtime_gateway.messages.message import Message
from forgesyte_realtime_gateway.metric_labels import Reason, Result, Transport

from . import client_messages
from .access import authorise, chosen_subprotocol, is_session_id
from .gateway import Gateway, job_id_of, since_of
from .protocol import FLOODED, HANG_UP

log = structlog.get_logger(__name__)

_PONG = b'{"type":"pong"}'

Begin = Callable[[Gateway, Client, HTTPConnection], Awaitable[None]]
Take = Callable[[Gateway, Client, str | bytes], Awaitable[None]]


class SocketEndpoint:
    """A WebSocket route.

    Args:
        path: the route's path, as in the route table.
        transport: which of the two kinds of socket the route serves.
    """

    def __init__(self, path: str, transport: Transport) -> None:
        self._path = path
        self._transport = transport
        is_flat = transport is Transport.JOB_SOCKET
        self._begin: Begin = _begin_flat if is_flat else _begin_realtime
        self._take: Take = _take_flat if is_flat else client_messages.take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it ends."""
        gateway: Gateway = scope["app"].state.gateway
        connection = HTTPConnection(scope)
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept", "subprotocol": chosen_subprotocol(scope.get("subprotocols", []))})
        try:
            client = self._let_in(gateway, connection, send)
        except _Refused as refusal:
            gateway.metrics.connects.labels(refusal.result).inc()
            await send({"type": "websocket.close", "code": int(refusal.code), "reason": refusal.reason})
            return
        gateway.metrics.connects.labels(Result.ACCEPTED).inc()
        try:
            await self._begin(gateway, client, connection)
            await self._listen(gateway, client, receive)
        finally:
            await gateway.forget(client)

    def _let_in(self, gateway: Gateway, connection: HTTPConnection, send: Send) -> Client:
        session_id = None
        try:
            key_name = authorise(gateway.keys, connection, self._path)
        except ForgeSyteError as error:
            raise _Refused(CloseCode.UNAUTHORISED, Result.AUTH, error.code.value) from None
        if self._transport is Transport.SOCKET:
            session_id = connection.query_params.get("session_id")
        if session_id is not None and not is_session_id(session_id):
            raise _Refused(CloseCode.BAD_SESSION, Result.SESSION, "session_id: 1 to 64 characters of A-Z a-z 0-9 _ -")
        client = gateway.client(ClientFacts(self._transport, session_id, key_name), send, _hang_up_of(connection.scope))
        try:
            gateway.manager.connect(client)
        except SessionFull:
            raise _Refused(CloseCode.SESSION_FULL, Result.CAPACITY, "the session has too many connections") from None
        return client

    async def _listen(self, gateway: Gateway, client: Client, receive: Receive) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                if event.get("reason") == FLOODED:
                    client.reason = Reason.FLOOD
                return
            client.heard_s = gateway.clock.monotonic_s()
            if not client.ended.is_set():
                await self._take(gateway, client, event.get("text") or event.get("bytes") or b"")
                # One read of the socket may hold thousands of messages; other clients get their turn between them.
                await asyncio.sleep(0)


class _Refused(Exception):
    def __init__(self, code: CloseCode, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.result = result
        self.reason = reason


def _hang_up_of(scope: Scope) -> HangUp:
    hang_up = scope["extensions"].get(HANG_UP)
    if hang_up is None:
        raise RuntimeError("serve this application with ws=SocketProtocol")
    return lambda code, reason: hang_up(int(code), reason)


async def _begin_realtime(gateway: Gateway, client: Client, connection: HTTPConnection) -> None:
    query = connection.query_params
    gateway.greet(client, query.get("plugin") or None)
    if not (text := query.get("job_id")):
        return
    job_id = job_id_of(text)
    if job_id is None:
        gateway.send_error(client, Code.REQUEST_INVALID, f"job_id: expected a UUID, found {text[:80]!r}.")
        return
    await gateway.watches.join(client, job_id, since_of(connection))


async def _begin_flat(gateway: Gateway, client: Client, connection: HTTPConnection) -> None:
    # Accepted for any id; one that is not a UUID has no events.
    if job_id := job_id_of(connection.path_params["job_id"]):
        await gateway.watches.join(client, job_id)


async def _take_flat(gateway: Gateway, client: Client, data: str | bytes) -> None:
    try:
        message = orjson.loads(data) if len(data) <= gateway.settings.client_text_bytes else None
    except orjson.JSONDecodeError:
        return
    if isinstance(message, dict) and message.get("type") == "ping":
        gateway.manager.send_to(client.id, Message(MessageType.PONG, _PONG, made_s=gateway.clock.monotonic_s()))

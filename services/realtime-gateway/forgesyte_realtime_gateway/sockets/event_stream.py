"""Server-sent events: the same messages for clients that need not answer; `id:` is the record's revision."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import CloseCode
from forgesyte_realtime_gateway.clients.client import Client, ClientFacts
from forgesyte_realtime_gateway.metric_labels import Result, Transport

from .access import is_session_id
from .gateway import Gateway, since_of
from .stream_query import StreamQuery

MEDIA_TYPE = "text/event-stream"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # keeps proxies from buffering events
]
_BEGINNING = b"retry: 1000\n\n"


def accepts_events(accept: str) -> bool:
    """Whether this `Accept` header asks for server-sent events; it must name them, since `*/*` takes any answer."""
    return MEDIA_TYPE in (part.partition(";")[0].strip().lower() for part in accept.split(","))


class EventStream(Response):
    """One stream, from its first event to its last.

    Args:
        gateway: the gateway that serves it.
        request: carries since as on the socket, and Last-Event-ID.
        query: job_id, plugin and session_id as on the socket.
        key_name: the name of the request's API key.

    Raises:
        ForgeSyteError: REQUEST_INVALID for a malformed job_id or session_id.
    """

    def __init__(self, gateway: Gateway, request: Request, query: StreamQuery, key_name: str) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        session_id = query.session_id
        if session_id is not None and not is_session_id(session_id):
            gateway.metrics.connects.labels(Result.SESSION).inc()
            raise ForgeSyteError(Code.REQUEST_INVALID, "session_id: expected 1 to 64 characters of A-Z a-z 0-9 _ -.")
        self._job_id = query.wanted_job()
        self._gateway = gateway
        self._plugin = query.plugin or None
        self._since = since_of(request)
        self._facts = ClientFacts(Transport.STREAM, session_id, key_name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client or the gateway ends the stream."""
        gateway = self._gateway
        client = gateway.client(self._facts, send, _no_hang_up)
        try:
            gateway.manager.connect(client)
        except ForgeSyteError:
            gateway.metrics.connects.labels(Result.CAPACITY).inc()
            raise
        gateway.metrics.connects.labels(Result.ACCEPTED).inc()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": _BEGINNING, "more_body": True})
            gateway.greet(client, self._plugin)
            if self._job_id is not None:
                await gateway.watches.join(client, self._job_id, self._since)
            await _until_either_ends(client, receive)
        finally:
            await gateway.forget(client)
        if client.outbox.is_free:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_either_ends(client: Client, receive: Receive) -> None:
    async def listen() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        client.ended.set()

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        await client.ended.wait()
        listening.cancel()


def _no_hang_up(_code: CloseCode, _reason: str) -> None:
    """A stream has no close code: it ends when the response does."""

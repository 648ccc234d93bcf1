"""A port with one application, and clients that write bytes: what a well-behaved client would never send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from forgesyte_chassis.web.port_state import ConnectionLimits
from forgesyte_chassis.web.problems import install
from forgesyte_chassis.web.read_turns import ReadTurns
from forgesyte_chassis.web.server import HttpServer, open_listener

LIMIT_S = 60.0
GET = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Answer:
    """One answer, and whether the server closed the connection behind it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document = json.loads(self.body)
        assert document["status"] == self.status
        return document


class RawClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> Answer:
        """The next answer; its body has an announced length."""
        async with asyncio.timeout(LIMIT_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")[:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, body)

    async def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        heard = b""
        async with asyncio.timeout(LIMIT_S):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65536):
                    heard += piece
        return heard


class Port:
    """A port that echoes bodies, and what its application was given."""

    def __init__(self, server: HttpServer, number: int, entered: list[str]) -> None:
        self.server = server
        self.number = number
        self.entered = entered

    @asynccontextmanager
    async def client(self, address: str = "127.0.0.1") -> AsyncIterator[RawClient]:
        """Connect from an address of this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number, local_addr=(address, 0))
        try:
            yield RawClient(reader, writer)
        finally:
            writer.transport.abort()  # what was not sent yet is dropped


class Doors:
    """An application: /echo returns the body, /wait and /begin end when `go_on` is set, /endless never does."""

    def __init__(self, go_on: asyncio.Event) -> None:
        self.go_on = go_on
        self.entered: list[str] = []
        """The paths of the requests whose answer waits or never ends, as they arrived."""

    def app(self) -> Starlette:
        routes = [Route("/wait", self.wait), Route("/begin", self.begin), Route("/endless", self.endless)]
        app = Starlette(routes=[*routes, Route("/echo", self.echo, methods=["GET", "POST"])])
        install(app)
        return app

    async def echo(self, request: Request) -> Response:
        return Response(await request.body())

    async def wait(self, request: Request) -> Response:
        self.entered.append(request.url.path)
        await self.go_on.wait()
        return PlainTextResponse("waited")

    async def begin(self, _request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun"
            await self.go_on.wait()
            yield b"done"

        return StreamingResponse(pieces())

    async def endless(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b"x" * 65536

        self.entered.append(request.url.path)
        return StreamingResponse(pieces())


@asynccontextmanager
async def open_port(
    limits: ConnectionLimits | None = None,
    *,
    turns: ReadTurns | None = None,
    go_on: asyncio.Event | None = None,
    ws: type[asyncio.Protocol] | Literal["none"] = "none",
) -> AsyncIterator[Port]:
    """Serve for the length of a block.

    Args:
        limits: of the port.
        turns: whose bytes are parsed when.
        go_on: what /wait and /begin wait for.
        ws: speaks WebSocket.
    """
    doors = Doors(go_on or asyncio.Event())
    listener = open_listener("127.0.0.1", 0)
    server = HttpServer(doors.app(), listener, grace_s=1, limits=limits, ws=ws)
    if turns is not None:
        server.server_state.turns = turns
    with listener:
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve([listener]))
            try:
                yield Port(server, listener.getsockname()[1], doors.entered)
            finally:
                doors.go_on.set()
                server.should_exit = server.force_exit = True

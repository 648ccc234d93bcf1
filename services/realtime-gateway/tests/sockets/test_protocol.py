"""What a socket of one client may cost the others."""

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from forgesyte_chassis.web.keys import Key, KeyRing
from forgesyte_realtime_gateway.settings import GatewaySettings
from forgesyte_realtime_gateway.sockets import protocol
from forgesyte_realtime_gateway.sockets.protocol import CONTROL_BURST, FLOODED
from tests.support import eventually
from tests.support.gateway import hear_until, joined, serving
from tests.support.played_runner import a_frame

KEYS = KeyRing([Key("me", frozenset({"stream"}), b"0" * 32)])
LIMIT_S = 60.0
PING, PONG, TEXT, CONT = 9, 10, 1, 0


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return struct.pack("!BB", fin << 7 | opcode, 0x80 | len(payload)) + bytes(4) + payload


class Raw:
    """A client that writes frames as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answer = b""

    async def ending(self) -> int | None:
        """The code of the server's close frame, once the TCP connection has ended; the client never closes it."""
        heard = b""
        async with asyncio.timeout(LIMIT_S):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65536):
                    heard += piece
        return _close_code(heard)


def _close_code(heard: bytes) -> int | None:
    code = None
    while len(heard) >= 2:
        size, head = heard[1] & 0x7F, 2
        if size == 126:
            size, head = struct.unpack("!H", heard[2:4])[0], 4
        elif size == 127:
            size, head = struct.unpack("!Q", heard[2:10])[0], 10
        if heard[0] & 0x0F == 8:
            code = struct.unpack("!H", heard[head : head + 2])[0]
        heard = heard[head + size :]
    return code


@asynccontextmanager
async def raw(
    served, *, path: str = "/v1/realtime", key: str = "AAAAAAAAAAAAAAAAAAAAAA==", more: str = ""
) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{more}\r\n"
    )
    client = Raw(reader, writer)
    writer.write(request.encode())
    try:
        async with asyncio.timeout(LIMIT_S):
            client.answer = await reader.readuntil(b"\r\n\r\n")
        yield client
    finally:
        writer.transport.abort()


async def closed(socket) -> tuple[int, str]:
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code, socket.close_reason


@pytest.mark.parametrize("opcode", [PING, PONG], ids=["ping", "pong"])
async def test_200_control_frames_at_once_are_allowed_and_more_close_1008(served, opcode):
    async with raw(served) as client, served.watch("/v1/realtime") as other:
        client.writer.write(frame(opcode) * CONTROL_BURST)
        await other.send('{"type": "ping"}')
        await hear_until(other, lambda message: message["type"] == "pong")
        assert not client.reader.at_eof()

        client.writer.write(frame(opcode) * 1000)

        assert await client.ending() == 1008
        await eventually(lambda: served.count("disconnects_total", reason="flood") == 1)
    assert CONTROL_BURST == 200


async def test_the_close_frame_of_a_flood_says_why(served):
    async with served.watch("/v1/realtime") as socket:
        with suppress(ConnectionClosed):
            for _ in range(CONTROL_BURST + 100):
                await socket.ping()

        assert await closed(socket) == (1008, FLOODED)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(frame(TEXT, b"{}") * 200, id="texts"),
        pytest.param(frame(TEXT, b"{", fin=False) + frame(CONT, fin=False) * 199, id="fragments"),
    ],
)
async def test_10000_frames_of_messages_are_allowed_and_more_close_1008(served, flood, monkeypatch):
    burst = protocol.DATA_BURST
    monkeypatch.setattr(protocol, "DATA_BURST", 199)
    monkeypatch.setattr(protocol, "DATA_PER_S", 0.001)
    async with raw(served) as client:
        client.writer.write(flood)

        assert await client.ending() == 1008
    assert burst == 10_000


async def test_a_closed_socket_is_not_read_and_its_connection_ends_although_the_client_does_not_close(server):
    async with serving(server, keys=KEYS) as served, raw(served) as client:
        client.writer.write(frame(PONG) * 200_000)

        assert await client.ending() == 1008
        await eventually(lambda: served.count("connects_total", result="auth") == 1)


async def test_the_answer_to_a_close_ends_the_connection_at_once(server, monkeypatch):
    monkeypatch.setattr(protocol, "CLOSED_S", 3600)
    async with serving(server, keys=KEYS) as served, served.watch("/v1/realtime", close_timeout=LIMIT_S) as socket:
        assert await closed(socket) == (1008, "KEY_MISSING")


async def test_frames_that_come_before_the_socket_is_accepted_wait(served, play):
    runner = await play()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        b"GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    body = json.dumps({"type": "subscribe", "payload": {"job_id": runner.job_id}}).encode()
    writer.write(frame(TEXT, body))
    try:
        async with asyncio.timeout(LIMIT_S):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            await joined(served, runner.job_id)
    finally:
        writer.transport.abort()


async def test_text_that_is_not_utf_8_is_closed_1007_and_is_no_error_in_the_log(served, caplog):
    caplog.set_level(logging.INFO)
    async with raw(served) as client:
        client.writer.write(frame(TEXT, b"caf\xe9"))

        assert await client.ending() == 1007
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param({"key": "short"}, b"400", id="key"),
        pytest.param({"more": "".join(f"X-{n}: y\r\n" for n in range(150))}, b"431", id="lines"),
        pytest.param({"more": f"X: {'y' * 20_000}\r\n"}, b"431", id="a long line"),
        pytest.param({"path": f"/v1/realtime?plugin={'y' * 20_000}"}, b"414", id="a long address"),
    ],
)
async def test_a_malformed_handshake_is_answered_with_a_problem_and_the_connection_ends(served, options, status):
    async with raw(served, **options) as client:
        assert client.answer.split()[1] == status
        assert b"application/problem+json" in client.answer.lower()
        async with asyncio.timeout(LIMIT_S):
            document = json.loads(await client.reader.read())

    assert str(document["status"]).encode() == status
    assert document["code"] == "REQUEST_INVALID"


async def test_an_evicted_reader_that_reads_again_a_while_later_sees_4008(server, play, monkeypatch):
    """The close frame waits behind what the client has not read; it was dropped after five seconds."""
    looks = 0
    undelivered = protocol.SocketProtocol._undelivered

    def counted(self) -> bool:
        nonlocal looks
        looks += 1
        return undelivered(self)

    monkeypatch.setattr(protocol.SocketProtocol, "_undelivered", counted)
    monkeypatch.setattr(protocol, "CLOSED_S", 0.02)
    runner = await play()
    path = f"/v1/realtime?job_id={runner.job_id}"
    async with serving(server, queue_messages=1) as served, raw(served, path=path) as client:
        client.writer.transport.pause_reading()
        await joined(served, runner.job_id)
        (deaf,) = served.gateway.manager.clients()
        async with served.watch(path) as reader:
            await joined(served, runner.job_id, 2)
            for index in range(120):
                await runner.live(a_frame(runner.job_id, index, 200_000))
                await hear_until(reader, lambda message: message["type"] == "frame")
        await eventually(lambda: not deaf.outbox.is_free)
        for index in range(3):
            await runner.warn(f"warning {index}")
        await eventually(lambda: looks >= 10, what="the server waits for a client that does not read")

        client.writer.transport.resume_reading()
        assert await client.ending() == 4008


async def test_512_subscriptions_at_once_are_allowed_and_more_are_refused(server, play):
    async with serving(server, subscribe_burst=3, subscribe_per_s=0.001) as served:
        runner = await play()
        async with served.watch("/v1/realtime") as socket:
            for _ in range(4):
                await socket.send(json.dumps({"type": "subscribe", "payload": {"job_id": runner.job_id}}))
                await socket.send(json.dumps({"type": "unsubscribe", "payload": {"job_id": runner.job_id}}))
            heard = await hear_until(socket, lambda message: message["type"] == "error")
            await socket.send('{"type": "ping"}')
            await hear_until(socket, lambda message: message["type"] == "pong")
    assert heard[-1]["payload"]["details"]["error_code"] == "TOO_MANY_REQUESTS"
    assert GatewaySettings().subscribe_burst == 512

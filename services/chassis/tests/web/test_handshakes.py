import asyncio
from contextlib import AsyncExitStack

import pytest

from forgesyte_chassis.web import handshakes
from forgesyte_chassis.web.handshakes import Handshakes
from forgesyte_chassis.web.port_state import ConnectionLimits
from tests.support import eventually

from .raw_http import GET, LIMIT_S, open_port

UPGRADE = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
OPENED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Echo(asyncio.Protocol):
    """A socket without frames: says that it is open, then repeats what it hears."""

    def __init__(self, *, server_state, **_named) -> None:
        self.state = server_state
        self.is_open = False

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.state.connections.add(self)

    def connection_lost(self, _error) -> None:
        self.state.connections.discard(self)

    def data_received(self, data) -> None:
        self.transport.write(data if self.is_open else OPENED)
        self.is_open = True

    def shutdown(self) -> None:
        self.transport.close()


class Visitor:
    """A client that is let in at some time."""

    def __init__(self, name, let_in) -> None:
        self.client = (name, 1)
        self.came = let_in

    def let_in(self) -> None:
        self.came.append(self.client[0])


async def opened(client) -> bool:
    async with asyncio.timeout(LIMIT_S):
        return (await client.reader.readexactly(len(OPENED))) == OPENED


@pytest.fixture
def closed_door(monkeypatch):
    """After the first one no other is let in."""
    monkeypatch.setattr(handshakes, "REST_S", 3600)


async def test_one_is_let_in_at_a_time_and_addresses_take_turns():
    came = []
    waiting = Handshakes()
    crowd = [Visitor("crowd", came) for _ in range(5)]
    for visitor in (*crowd, Visitor("other", came), Visitor("third", came)):
        waiting.ask(visitor)
    assert came == ["crowd"]

    await eventually(lambda: len(came) == 7)

    assert came == ["crowd", "crowd", "other", "third", "crowd", "crowd", "crowd"]


async def test_one_that_is_gone_is_not_let_in():
    came = []
    waiting = Handshakes()
    for name in ("first", "gone", "last"):
        visitor = Visitor(name, came)
        waiting.ask(visitor)
        if name == "gone":
            waiting.forget(visitor)
            waiting.forget(visitor)

    await eventually(lambda: "last" in came)

    assert came == ["first", "last"]


async def test_every_socket_of_a_crowd_opens_and_gets_what_was_sent_behind_its_request():
    async with open_port(ws=Echo) as port, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(port.client()) for _ in range(50)]
        for client in clients:
            client.send(UPGRADE + b"early")

        for client in clients:
            assert await opened(client)
            client.send(b" late")
            assert await client.reader.readexactly(10) == b"early late"
        assert len(port.server.server_state.connections) == 50


async def test_requests_are_answered_while_sockets_wait_and_those_that_leave_are_forgotten(closed_door):
    async with open_port(ws=Echo) as port, port.client() as first, port.client() as other:
        first.send(UPGRADE)
        assert await opened(first)
        async with port.client() as second:
            second.send(UPGRADE)
            other.send(GET)
            assert (await other.answer()).status == 200
            await eventually(lambda: len(port.server.server_state.connections) == 3)
        await eventually(lambda: len(port.server.server_state.connections) == 2)


@pytest.mark.slow
async def test_a_socket_that_waits_as_long_as_a_head_may_take_is_answered_503(closed_door):
    async with open_port(ConnectionLimits(head_s=0.2), ws=Echo) as port, port.client() as first, port.client() as late:
        first.send(UPGRADE)
        assert await opened(first)
        late.send(UPGRADE)
        answer = await late.answer()

        assert (answer.status, answer.problem["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert answer.headers["retry-after"] == "5"
        assert await late.rest() == b""


async def test_a_stop_does_not_wait_for_those_that_are_not_let_in(closed_door):
    async with open_port(ws=Echo) as port, port.client() as first, port.client() as late:
        first.send(UPGRADE)
        assert await opened(first)
        late.send(UPGRADE)
        await eventually(lambda: len(port.server.server_state.connections) == 2)
        await eventually(lambda: port.server.server_state.handshakes.waiting_since(float("inf")))
        port.server.should_exit = True

        assert (await late.answer()).status == 503

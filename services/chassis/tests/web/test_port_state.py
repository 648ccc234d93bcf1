import asyncio
import resource
from contextlib import AsyncExitStack

import pytest

from forgesyte_chassis.settings import ConnectionSettings
from forgesyte_chassis.web.port_state import (
    MOST_HEADS_PER_SWEEP,
    MOST_REFUSING,
    OWN_DESCRIPTORS,
    ConnectionLimits,
    PortState,
)
from tests.support import eventually

from .raw_http import GET, open_port

HALF = b"GET /echo HTTP/1.1\r\nX-Half: "
WAIT = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"
OTHER = "127.0.0.2"
"""Another address of this machine."""


def open_connections(port):
    return len(port.server.server_state.connections)


async def waiting(port, client):
    """Have a client wait for an answer that does not come yet."""
    entered = len(port.entered)
    client.send(WAIT)
    await eventually(lambda: len(port.entered) == entered + 1)


@pytest.mark.slow
async def test_the_head_of_a_request_has_10_s_and_then_gets_408():
    async with open_port(ConnectionLimits(head_s=0.2)) as port, port.client() as client:
        client.send(HALF)
        answer = await client.answer()

        assert (answer.status, answer.problem["code"]) == (408, "REQUEST_INVALID")
        assert "not complete after 0.2 s" in answer.problem["detail"]
        assert await client.rest() == b""
    assert ConnectionLimits().head_s == 10.0


def test_a_crowd_of_unfinished_heads_is_answered_in_parts():
    class Half:
        client = ("127.0.0.1", 1)

        def give_up_head(self):
            given_up.append(self)

    given_up = []
    state = PortState(ConnectionLimits(head_s=0))
    halves = [Half() for _ in range(2 * MOST_HEADS_PER_SWEEP + 1)]
    for half in halves:
        assert state.admit(half)

    counts = []
    for _ in range(3):
        state.sweep()
        counts.append(len(given_up))

    assert counts == [100, 200, 201]
    assert given_up == halves


@pytest.mark.slow
async def test_a_head_that_trickles_has_no_more_time_than_any_other():
    async with open_port(ConnectionLimits(head_s=0.2)) as port, port.client() as client:
        client.send(HALF)

        async def trickle():
            while True:
                client.send(b"x")
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            trickling = group.create_task(trickle())
            status = (await client.answer()).status
            trickling.cancel()

    assert status == 408


@pytest.mark.slow
async def test_a_second_head_has_its_limit_too_and_a_body_or_an_answer_has_none():
    async with open_port(ConnectionLimits(head_s=0.2)) as port, AsyncExitStack() as stack:
        second, sender, waiter, gone = [await stack.enter_async_context(port.client()) for _ in range(4)]
        second.send(GET + HALF)
        sender.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
        await waiting(port, waiter)
        gone.send(HALF)

        assert [(await second.answer()).status for _ in range(2)] == [200, 408]
        assert (await gone.answer()).status == 408
        sender.send(b"y")
        assert (await sender.answer()).body == b"xy"
        assert open_connections(port) >= 2


@pytest.mark.slow
async def test_a_connection_without_any_request_is_closed_without_an_answer():
    async with open_port(ConnectionLimits(head_s=0.1)) as port, port.client() as client:
        assert await client.rest() == b""


@pytest.mark.slow
async def test_an_idle_connection_ends_after_75_s():
    async with open_port(ConnectionLimits(idle_s=1)) as port, port.client() as client:
        client.send(GET)
        assert (await client.answer()).status == 200

        assert await client.rest() == b""
    assert ConnectionLimits().idle_s == 75


@pytest.mark.slow
async def test_an_answer_that_is_not_read_for_60_s_is_given_up():
    async with open_port(ConnectionLimits(stalled_s=0.2)) as port, port.client() as client:
        client.writer.transport.pause_reading()
        client.send(GET.replace(b"/echo", b"/endless"))
        await eventually(lambda: port.entered)

        await eventually(lambda: not open_connections(port))
    assert ConnectionLimits().stalled_s == 60.0


async def test_at_the_limit_of_connections_the_oldest_unfinished_head_makes_room():
    async with open_port(ConnectionLimits(connections=3)) as port, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(port.client()) for _ in range(3)]
        for client in clients:
            client.send(HALF)
        await eventually(lambda: open_connections(port) == 3)

        async with port.client() as newcomer:
            newcomer.send(GET)
            assert (await newcomer.answer()).status == 200
            assert await clients[0].rest() == b""
            assert open_connections(port) == 3


async def test_at_the_limit_of_connections_an_idle_one_makes_room_and_a_busy_one_never():
    async with open_port(ConnectionLimits(connections=2)) as port, AsyncExitStack() as stack:
        busy, idle = [await stack.enter_async_context(port.client()) for _ in range(2)]
        await waiting(port, busy)
        idle.send(GET)
        assert (await idle.answer()).status == 200

        async with port.client() as newcomer:
            newcomer.send(GET)
            assert (await newcomer.answer()).status == 200
            assert await idle.rest() == b""
        assert open_connections(port) >= 1


async def test_where_all_are_busy_a_connection_above_the_limit_is_answered_503():
    go_on = asyncio.Event()
    async with open_port(ConnectionLimits(connections=2), go_on=go_on) as port, AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(port.client()) for _ in range(2)]
        for client in busy:
            await waiting(port, client)

        async with port.client() as refused:
            refused.send(GET)
            answer = await refused.answer()
            assert (answer.status, answer.problem["code"]) == (503, "SERVICE_UNAVAILABLE")
            assert answer.headers["retry-after"] == "5"
            assert await refused.rest() == b""
        go_on.set()
        assert [(await client.answer()).body for client in busy] == [b"waited"] * 2


async def test_most_32_connections_above_the_limit_may_ask_before_they_are_refused():
    async with open_port(ConnectionLimits(connections=1)) as port, AsyncExitStack() as stack:
        await waiting(port, await stack.enter_async_context(port.client()))
        refused = [await stack.enter_async_context(port.client()) for _ in range(MOST_REFUSING + 1)]

        assert (await refused[-1].answer()).status == 503  # it has not asked
        await eventually(lambda: open_connections(port) == 1)  # the others did not ask within a second


async def test_an_address_has_at_most_2000_connections_and_another_address_does_not_notice():
    go_on = asyncio.Event()
    async with open_port(ConnectionLimits(per_address=2), go_on=go_on) as port, AsyncExitStack() as stack:
        for _ in range(2):
            await waiting(port, await stack.enter_async_context(port.client()))

        async with port.client() as third, port.client(OTHER) as other:
            third.send(GET)
            other.send(GET)
            assert (await third.answer()).status == 503
            assert (await other.answer()).status == 200
    assert ConnectionLimits().per_address == 2000


async def test_at_the_limit_of_an_address_only_its_own_connections_make_room():
    async with open_port(ConnectionLimits(per_address=2)) as port, AsyncExitStack() as stack:
        other = await stack.enter_async_context(port.client(OTHER))
        mine = [await stack.enter_async_context(port.client()) for _ in range(2)]
        for client in (other, *mine):
            client.send(HALF)
        await eventually(lambda: open_connections(port) == 3)

        async with port.client() as newcomer:
            newcomer.send(GET)
            assert (await newcomer.answer()).status == 200
            assert await mine[0].rest() == b""
        other.send(b"x\r\nHost: localhost\r\n\r\n")
        assert (await other.answer()).status == 200


async def test_0_switches_the_limit_of_an_address_off():
    async with open_port(ConnectionLimits(per_address=0)) as port, AsyncExitStack() as stack:
        for _ in range(5):
            await waiting(port, await stack.enter_async_context(port.client()))

        assert open_connections(port) == 5


def test_limits_stay_below_what_the_process_may_have_descriptors_for(monkeypatch):
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: asked.append(limits))

    limits = [ConnectionLimits(connections=number).within_descriptors().connections for number in (100, 2000, 5000)]

    assert limits == [100, 2000, 4096 - OWN_DESCRIPTORS]
    assert asked == [(2000 + OWN_DESCRIPTORS, 4096), (4096, 4096)]


def test_a_port_has_at_most_4000_connections():
    assert ConnectionLimits().connections == 4000


def test_the_settings_name_the_limits(monkeypatch):
    defaults = ConnectionLimits.of(ConnectionSettings())
    monkeypatch.setenv("FORGESYTE_MAX_CONNECTIONS", "7")
    monkeypatch.setenv("FORGESYTE_MAX_CONNECTIONS_PER_ADDRESS", "0")
    monkeypatch.setenv("FORGESYTE_HEAD_TIMEOUT_S", "2.5")

    assert ConnectionLimits.of(ConnectionSettings()) == ConnectionLimits(7, 0, 2.5)
    assert defaults == ConnectionLimits()

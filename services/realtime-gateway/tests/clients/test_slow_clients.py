"""Clients that do not read: they delay no other client, lose nothing that must arrive, and are closed in the end."""

import asyncio
import socket as sockets

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support import HandClock, eventually
from tests.support.gateway import hear, hear_until, is_ending, is_frame, joined, serving
from tests.support.played_runner import a_frame

STUCK_S = 10.0


def a_deaf_client(served, path: str) -> sockets.socket:
    """Connect a client that completes the handshake and then never reads."""
    deaf = sockets.socket()
    deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", served.port))
    lines = [
        f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", "", "",
    ]  # fmt: skip
    deaf.sendall("\r\n".join(lines).encode())
    return deaf


async def evict_the_deaf(served, clock) -> None:
    """Turn the clock beyond the time a message may wait, once only the client that does not read has one waiting."""

    def waiting() -> int:
        return sum(not client.outbox.is_free for client in served.gateway.manager.clients())

    await eventually(lambda: waiting() == 1, what="only one client has a message waiting")
    clock.passed_s += STUCK_S + 0.1
    served.gateway.pings.check()
    await eventually(lambda: served.count("slow_clients_evicted_total") == 1)


async def test_a_client_that_never_reads_delays_no_other_and_is_closed(server, play):
    runner, clock = await play(), HandClock()
    async with (
        serving(server, stuck_s=STUCK_S, clock=clock) as served,
        served.realtime(runner.job_id) as reader,
    ):
        deaf = a_deaf_client(served, f"/v1/realtime?job_id={runner.job_id}")
        try:
            await joined(served, runner.job_id, 2)
            await hear_until(reader, is_frame(0))
            for index in range(100):
                await runner.live(a_frame(runner.job_id, index, 100_000))
                heard = await hear(reader)
                assert heard["payload"]["frame_index"] == index
                waiting = max(client.outbox._waiting_bytes for client in served.gateway.manager.clients())
                assert waiting <= 1_000_000
            await evict_the_deaf(served, clock)
            await runner.complete(100)
            assert is_ending((await hear_until(reader, is_ending))[-1])
            await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 1)
        finally:
            deaf.close()


async def test_a_client_that_reads_again_in_time_has_lost_nothing_that_must_arrive(server, play):
    runner = await play()
    path = f"/v1/realtime?job_id={runner.job_id}"
    async with (
        serving(server, clock=HandClock()) as served,
        served.watch(path, max_queue=1) as pausing,
        served.watch(path) as reader,
    ):
        await joined(served, runner.job_id, 2)
        for index in range(120):
            await runner.live(a_frame(runner.job_id, index, 200_000))
            await hear_until(reader, lambda message: message["type"] == "frame")
        assert any(not client.outbox.is_free for client in served.gateway.manager.clients())
        for index in range(40):
            await runner.warn(f"warning {index}")
        await runner.complete(100)
        heard = await hear_until(pausing, is_ending)

    indexes = [message["payload"]["index"] for message in heard if message["type"] == "warning"]
    assert indexes == list(range(40))
    frames = [message["payload"]["frame_index"] for message in heard if message["type"] == "frame"]
    assert frames == sorted(frames)
    assert len(frames) < 120


async def test_an_event_stream_that_is_not_read_is_closed(server, play):
    runner, clock = await play(), HandClock()
    async with (
        serving(server, stuck_s=STUCK_S, clock=clock) as served,
        served.realtime(runner.job_id) as reader,
    ):
        deaf = sockets.socket()
        deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        path = f"/v1/realtime?job_id={runner.job_id}"
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
        try:
            await joined(served, runner.job_id, 2)
            for index in range(100):
                await runner.live(a_frame(runner.job_id, index, 100_000))
                await hear_until(reader, lambda message: message["type"] == "frame")
            await evict_the_deaf(served, clock)
            await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 1)
        finally:
            deaf.close()


async def test_a_client_that_did_not_read_finds_4008_after_what_its_socket_held(server, play):
    runner, clock = await play(), HandClock()
    path = f"/v1/realtime?job_id={runner.job_id}"
    async with (
        serving(server, stuck_s=STUCK_S, clock=clock) as served,
        served.watch(path, max_queue=1) as pausing,
        served.watch(path) as reader,
    ):
        await joined(served, runner.job_id, 2)
        for index in range(120):
            await runner.live(a_frame(runner.job_id, index, 200_000))
            await hear_until(reader, lambda message: message["type"] == "frame")
        await evict_the_deaf(served, clock)
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionClosed):
                while True:
                    await pausing.recv()

        assert pausing.close_code == 4008
        assert served.count("disconnects_total", reason="slow") == 1

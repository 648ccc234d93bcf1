"""What reaches whom: everything that must arrive, to everybody, whatever one of them does."""

import asyncio
import gc
import json
import socket as sockets
import tracemalloc
from collections import Counter

import pytest
from websockets.exceptions import ConnectionClosed

from forgesyte_contracts.realtime import (
    Box,
    FrameData,
    FramePayload,
    LiveOrder,
    PartialResultPayload,
    PartialRows,
    PluginStatus,
    PluginStatusPayload,
    envelope,
    parse_message,
)
from forgesyte_realtime_gateway.clients.client import Client
from tests.support import eventually

STUCK_S = 10.0


def a_frame(job_id: str, index: int = 1, image_bytes: int = 1000) -> FramePayload:
    box = Box(x=1, y=2, width=30, height=40, confidence=0.9, class_="car", track_id=4)
    data = FrameData(boxes=(box,), width=640, height=360, image="data:image/jpeg;base64," + "A" * image_bytes)
    return FramePayload(
        job_id=job_id, frame_id=f"{job_id}-{index}", frame_index=index, plugin="motion", data=data, device_used="cpu",
        timing_ms=3.2,
    )  # fmt: skip


def some_rows(job_id: str) -> PartialResultPayload:
    rows = PartialRows(rows=({"frame_index": 1, "timestamp_ms": 40.0, "detections": {"regions": []}},))
    return PartialResultPayload(job_id=job_id, plugin="motion", result=rows)


def a_status(job_id: str) -> PluginStatusPayload:
    return PluginStatusPayload(
        job_id=job_id, plugin="motion", status=PluginStatus.RUNNING, timing_ms=3.2, frames_processed=9,
        warnings_count=0, device_used="cpu",
    )  # fmt: skip


def a_deaf_client(served, path: str) -> sockets.socket:
    """A client that shakes hands and then never reads."""
    deaf = sockets.socket()
    deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", served.port))
    lines = [
        f"GET {path} HTTP/1.1", "Host: gateway", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", "", "",
    ]  # fmt: skip
    deaf.sendall("\r\n".join(lines).encode())
    return deaf


async def evict_the_deaf(served, clock) -> None:
    """Turn the clock beyond the time that one message may wait, once the one who does not read is alone with one."""

    def waiting() -> int:
        return sum(not client.outbox.is_free for client in served.gateway.manager.clients())

    await eventually(lambda: waiting() == 1, what="only one has something waiting")
    clock.passed_s += STUCK_S + 0.1
    served.gateway.heartbeat.look()
    await eventually(lambda: served.count("slow_clients_evicted_total") == 1)


@pytest.mark.parametrize("build", [a_frame, some_rows, a_status], ids=lambda build: build.__name__)
async def test_a_live_message_is_forwarded_untouched_and_fits_its_schema(served, bus, play, make, build):
    runner = await play()
    payload = build(runner.job_id)
    body = envelope(payload)
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await make.joined(served, runner.job_id)
        await bus.live.publish(runner.job_id, payload.TYPE, body, "1.1")
        async with asyncio.timeout(60):
            heard = await watcher.recv()

    assert heard == body.decode()
    make.checked(json.loads(heard))
    assert parse_message(heard)[1] == payload


async def test_a_message_out_of_order_is_not_shown(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await make.joined(served, runner.job_id)
        await runner.claim("runner-2")
        heard = await make.hear_until(watcher, lambda message: message.get("seq") == runner.revision)
        await runner.frame(1, 100, order=LiveOrder(1, 900))  # the first attempt's, late
        await runner.frame(2, 100, order=LiveOrder(2, 5))
        await runner.frame(3, 100, order=LiveOrder(2, 5))
        await runner.frame(4, 100, order=LiveOrder(2, 4))
        await runner.frame(5, 100, order=LiveOrder(2, 6))
        heard += await make.hear_until(watcher, make.is_frame(5))

    live = [message for message in heard if message["type"] == "progress" and "seq" not in message]
    frames = [message["payload"]["current_frame"] for message in live]
    assert frames == [2, 5]
    assert served.count("events_dropped_total", type="progress", reason="order") == 3


async def test_nothing_is_shown_after_the_ending(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as watcher:
        await make.joined(served, runner.job_id)
        await runner.complete(10)
        await make.hear_until(watcher, make.is_ending)

        await runner.frame(9, 10)
        await eventually(lambda: served.count("events_dropped_total", type="progress", reason="ended") == 1)
        await watcher.send('{"type": "ping"}')
        assert (await make.hear(watcher))["type"] == "pong"


async def test_what_must_arrive_comes_from_the_record_alone(served, bus, play, make):
    runner = await play()
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await make.joined(served, runner.job_id)
        await bus.live.publish(runner.job_id, "warning", b"{}", "1.1")
        await bus.live.publish(runner.job_id, "nonsense", b"{}", "1.2")
        await runner.warn("said once")
        heard = await make.hear_until(watcher, lambda message: message["type"] == "warning")

    assert heard[-1]["payload"]["message"] == "said once"
    assert sum(message["type"] == "warning" for message in heard) == 1
    await eventually(lambda: served.count("events_dropped_total", type="other", reason="record") == 1)
    assert served.count("events_dropped_total", type="warning", reason="record") == 1


async def test_1000_frames_do_not_lose_the_ending(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as one, served.flat(runner.job_id) as other:
        await make.joined(served, runner.job_id, 2)
        for frame in range(1, 1001):
            await runner.frame(frame, 1000)
        await runner.complete(1000)
        heard = await make.hear_until(one, make.is_ending)
        flat = await make.hear_until(other, make.is_ending)

    frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]
    assert frames == sorted(frames)
    percents = [message["percent"] for message in flat[:-1]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert sum(make.is_ending(message) for message in heard) == sum(make.is_ending(message) for message in flat) == 1


async def test_a_watcher_that_never_reads_delays_nobody_and_is_closed(server, play, make):
    runner, clock = await play(), make.HandClock()
    async with (
        make.serving(server, stuck_s=STUCK_S, clock=clock.monotonic_s) as served,
        served.realtime(runner.job_id) as reader,
    ):
        deaf = a_deaf_client(served, f"/v1/realtime?job_id={runner.job_id}")
        try:
            await make.joined(served, runner.job_id, 2)
            await make.hear_until(reader, make.is_frame(0))
            for index in range(100):
                await runner.live(a_frame(runner.job_id, index, 100_000))
                heard = await make.hear(reader)
                assert heard["payload"]["frame_index"] == index
                waiting = max(client.outbox._waiting_bytes for client in served.gateway.manager.clients())
                assert waiting <= 1_000_000
            await evict_the_deaf(served, clock)
            await runner.complete(100)
            assert make.is_ending((await make.hear_until(reader, make.is_ending))[-1])
            await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 1)
        finally:
            deaf.close()


async def test_who_reads_again_in_time_has_lost_nothing_that_must_arrive(server, play, make):
    runner = await play()
    path = f"/v1/realtime?job_id={runner.job_id}"
    async with (
        make.serving(server, clock=make.HandClock().monotonic_s) as served,
        served.watch(path, max_queue=1) as pausing,
        served.watch(path) as reader,
    ):
        await make.joined(served, runner.job_id, 2)
        for index in range(120):
            await runner.live(a_frame(runner.job_id, index, 200_000))
            await make.hear_until(reader, lambda message: message["type"] == "frame")
        assert any(not client.outbox.is_free for client in served.gateway.manager.clients())
        for index in range(40):
            await runner.warn(f"warning {index}")
        await runner.complete(100)
        heard = await make.hear_until(pausing, make.is_ending)

    indexes = [message["payload"]["index"] for message in heard if message["type"] == "warning"]
    assert indexes == list(range(40))
    frames = [message["payload"]["frame_index"] for message in heard if message["type"] == "frame"]
    assert frames == sorted(frames)
    assert len(frames) < 120


async def test_an_event_stream_that_nobody_reads_is_given_up(server, play, make):
    runner, clock = await play(), make.HandClock()
    async with (
        make.serving(server, stuck_s=STUCK_S, clock=clock.monotonic_s) as served,
        served.realtime(runner.job_id) as reader,
    ):
        deaf = sockets.socket()
        deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        path = f"/v1/realtime?job_id={runner.job_id}"
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAccept: text/event-stream\r\n\r\n".encode())
        try:
            await make.joined(served, runner.job_id, 2)
            for index in range(100):
                await runner.live(a_frame(runner.job_id, index, 100_000))
                await make.hear_until(reader, lambda message: message["type"] == "frame")
            await evict_the_deaf(served, clock)
            await eventually(lambda: len(served.gateway.manager.get_active_connections()) == 1)
        finally:
            deaf.close()


async def test_a_flood_of_client_messages_lets_the_others_have_their_turn(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as watcher, served.watch("/v1/realtime") as noisy:
        await make.joined(served, runner.job_id)
        await make.hear_until(watcher, make.is_frame(0))
        for _ in range(5000):
            await noisy.send('{"type":"pong"}')
        for frame in range(1, 11):
            await runner.frame(frame, 10)
            await make.hear_until(watcher, make.is_frame(frame))


async def test_a_watcher_that_did_not_read_finds_4008_behind_what_its_socket_held(server, play, make):
    runner, clock = await play(), make.HandClock()
    path = f"/v1/realtime?job_id={runner.job_id}"
    async with (
        make.serving(server, stuck_s=STUCK_S, clock=clock.monotonic_s) as served,
        served.watch(path, max_queue=1) as pausing,
        served.watch(path) as reader,
    ):
        await make.joined(served, runner.job_id, 2)
        for index in range(120):
            await runner.live(a_frame(runner.job_id, index, 200_000))
            await make.hear_until(reader, lambda message: message["type"] == "frame")
        await evict_the_deaf(served, clock)
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionClosed):
                while True:
                    await pausing.recv()

        assert pausing.close_code == 4008
        assert served.count("disconnects_total", reason="slow") == 1


class Crowd:
    """Watchers of the flat socket, and how many of them were told what."""

    def __init__(self, served, make) -> None:
        self._served, self._make = served, make
        self.told: Counter[tuple[str, int]] = Counter()
        self.endings: Counter[str] = Counter()

    async def watch(self, job_id: str) -> None:
        async with self._served.flat(job_id, open_timeout=60) as watcher:
            while not self._make.is_ending(message := await self._make.hear(watcher)):
                self.told[job_id, message["current_frame"]] += 1
            self.endings[message["status"]] += 1


async def test_300_watchers_of_one_job_and_100_jobs_with_one_each_get_everything(served, play, make):
    watched = {await play(): 300} | {await play(): 1 for _ in range(100)}
    crowd = Crowd(served, make)

    async with asyncio.TaskGroup() as group:
        for runner, count in watched.items():
            for _ in range(count):
                group.create_task(crowd.watch(runner.job_id))
        for runner, count in watched.items():
            await make.joined(served, runner.job_id, count)
        # A frame at a time: who stops to read for a moment may be told the newest frame instead of each.
        for frame in range(1, 11):
            for runner in watched:
                await runner.frame(frame, 10)
            expected = {(runner.job_id, frame): count for runner, count in watched.items()}
            await eventually(lambda expected=expected: expected.items() <= crowd.told.items(), what=f"frame {frame}")
        for runner in watched:
            await runner.complete(10)

    assert crowd.endings == {"completed": 400}


async def test_above_the_limit_one_subscription_takes_the_live_messages_of_all_jobs(server, play, make):
    runners = [await play() for _ in range(4)]
    async with make.serving(server, single_watches=2) as served:
        tap = served.gateway.watches._tap
        watchers = [await served.flat(runner.job_id) for runner in runners]
        for runner in runners:
            await make.joined(served, runner.job_id)
        await eventually(lambda: (tap.takes_all, len(tap._single)) == (True, 0))
        for runner, watcher in zip(runners, watchers, strict=True):
            await runner.frame(1, 2)
            await make.hear_until(watcher, make.is_frame(1))

        for watcher in watchers[1:]:
            await watcher.close()
        await eventually(lambda: (tap.takes_all, len(tap._single)) == (False, 1))
        await runners[0].frame(2, 2)
        await make.hear_until(watchers[0], make.is_frame(2))
        await watchers[0].close()


async def test_memory_is_flat_after_100_connect_cycles(served, play, make):
    runner = await play()

    async def cycle() -> None:
        async with served.realtime(runner.job_id) as one, served.flat(runner.job_id) as other:
            await make.hear(one)
            await make.hear(other)
        await eventually(lambda: not served.gateway.manager.get_active_connections())

    for _ in range(10):
        await cycle()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(100):
            await cycle()
        gc.collect()
        grown_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert grown_bytes < 500_000
    await eventually(lambda: not [thing for thing in gc.get_objects() if isinstance(thing, Client)])

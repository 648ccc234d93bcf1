"""What the clients of one job get, and in which order."""

import asyncio
import json

import pytest

from forgesyte_contracts.realtime import (
    LiveOrder,
    PartialResultPayload,
    PartialRows,
    PluginStatus,
    PluginStatusPayload,
    envelope,
    parse_message,
)
from tests.support import eventually
from tests.support.gateway import checked, hear, hear_until, is_ending, is_frame, joined
from tests.support.played_runner import a_frame


def some_rows(job_id: str) -> PartialResultPayload:
    rows = PartialRows(rows=({"frame_index": 1, "timestamp_ms": 40.0, "detections": {"regions": []}},))
    return PartialResultPayload(job_id=job_id, plugin="motion", result=rows)


def a_status(job_id: str) -> PluginStatusPayload:
    return PluginStatusPayload(
        job_id=job_id, plugin="motion", status=PluginStatus.RUNNING, timing_ms=3.2, frames_processed=9,
        warnings_count=0, device_used="cpu",
    )  # fmt: skip


@pytest.mark.parametrize("build", [a_frame, some_rows, a_status], ids=lambda build: build.__name__)
async def test_a_live_message_is_forwarded_untouched_and_fits_its_schema(served, bus, play, build):
    runner = await play()
    payload = build(runner.job_id)
    body = envelope(payload)
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await joined(served, runner.job_id)
        await bus.live.publish(runner.job_id, payload.TYPE, body, "1.1")
        async with asyncio.timeout(60):
            heard = await watcher.recv()

    assert heard == body.decode()
    checked(json.loads(heard))
    assert parse_message(heard)[1] == payload


async def test_a_message_out_of_order_is_not_shown(served, play):
    runner = await play()
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await joined(served, runner.job_id)
        await runner.claim("runner-2")
        heard = await hear_until(watcher, lambda message: message.get("seq") == runner.revision)
        await runner.frame(1, 100, order=LiveOrder(1, 900))  # the first attempt's, late
        await runner.frame(2, 100, order=LiveOrder(2, 5))
        await runner.frame(3, 100, order=LiveOrder(2, 5))
        await runner.frame(4, 100, order=LiveOrder(2, 4))
        await runner.frame(5, 100, order=LiveOrder(2, 6))
        heard += await hear_until(watcher, is_frame(5))

    live = [message for message in heard if message["type"] == "progress" and "seq" not in message]
    frames = [message["payload"]["current_frame"] for message in live]
    assert frames == [2, 5]
    assert served.count("events_dropped_total", type="progress", reason="order") == 3


async def test_nothing_is_shown_after_the_ending(served, play):
    runner = await play()
    async with served.realtime(runner.job_id) as watcher:
        await joined(served, runner.job_id)
        await runner.complete(10)
        await hear_until(watcher, is_ending)

        await runner.frame(9, 10)
        await eventually(lambda: served.count("events_dropped_total", type="progress", reason="ended") == 1)
        await watcher.send('{"type": "ping"}')
        assert (await hear(watcher))["type"] == "pong"


async def test_what_must_arrive_comes_from_the_record_alone(served, bus, play):
    runner = await play()
    async with served.realtime(runner.job_id, since=runner.revision) as watcher:
        await joined(served, runner.job_id)
        await bus.live.publish(runner.job_id, "warning", b"{}", "1.1")
        await bus.live.publish(runner.job_id, "nonsense", b"{}", "1.2")
        await runner.warn("warned once")
        heard = await hear_until(watcher, lambda message: message["type"] == "warning")

    assert heard[-1]["payload"]["message"] == "warned once"
    assert sum(message["type"] == "warning" for message in heard) == 1
    await eventually(lambda: served.count("events_dropped_total", type="other", reason="record") == 1)
    assert served.count("events_dropped_total", type="warning", reason="record") == 1


async def test_another_runner_takes_over_and_late_messages_of_the_first_are_not_shown(served, play):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await joined(served, runner.job_id)
        await runner.frame(50, 100)
        zombie = runner.order._replace(n=51)
        await hear_until(before, is_frame(50))
        await runner.claim("runner-2")
        await hear_until(before, lambda message: message["type"] == "plugin_status")

        async with served.realtime(runner.job_id) as after:
            await joined(served, runner.job_id, 2)
            await runner.frame(51, 100, order=zombie)
            await runner.frame(1, 100)
            await runner.complete(100)
            heard = await hear_until(before, is_ending)
            frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]

            assert 51 not in frames
            assert (await hear_until(after, is_ending))[-1]["payload"]["status"] == "completed"


async def test_progress_does_not_fall_when_a_runner_dies_ahead_of_its_record(served, play):
    runner = await play()
    await runner.write(40, 100)
    async with served.realtime(runner.job_id) as watcher, served.flat(runner.job_id) as flat:
        await joined(served, runner.job_id, 2)
        await runner.frame(43, 100)
        heard = await hear_until(watcher, is_frame(43))
        flats = await hear_until(flat, is_frame(43))

        await runner.claim("runner-2")
        for frame in (1, 41, 42):
            await runner.frame(frame, 100)
        await runner.write(42, 100)
        await runner.fail()
        heard += await hear_until(watcher, is_ending)
        flats += await hear_until(flat, is_ending)

    percents = [message["payload"]["progress"] for message in heard if message["type"] == "progress"]
    assert percents == sorted(percents)
    assert percents[-1] == 43
    flat_percents = [message["percent"] for message in flats[:-1]]
    assert flat_percents == sorted(flat_percents)


async def test_messages_between_a_subscription_and_the_record_are_not_lost(served, bus, play):
    """A client that joins in the middle of a flood ends up with the newest frame."""
    runner = await play()

    async def flood() -> None:
        for frame in range(1, 301):
            await runner.frame(frame, 300)
            if frame % 50 == 0:
                await runner.write(frame, 300)

    async with asyncio.TaskGroup() as group:
        flooding = group.create_task(flood())
        watchers = [await served.flat(runner.job_id) for _ in range(10)]
        await flooding
    for watcher in watchers:
        heard = await hear_until(watcher, is_frame(300))
        frames = [message["current_frame"] for message in heard]
        assert frames == sorted(frames)
        await watcher.close()


async def test_a_client_gets_the_state_only_once_the_gateway_listens_to_the_job(served, play):
    """The feed may bring the record before the subscription is open; messages sent in between would be lost."""
    runner = await play()
    watches = served.gateway.watches
    async with watches.subscriptions._lock:  # keeps the subscription from opening
        watcher = await served.flat(runner.job_id)
        await eventually(lambda: len(watches) == 1)
        await runner.write(1, 10)
        await eventually(lambda: watches.get(runner.job_id).revision == runner.revision)
        is_owed = watches.get(runner.job_id).is_owed
    first = await hear(watcher)
    await watcher.close()

    assert is_owed
    assert first["current_frame"] == 1

"""Every watcher gets the right ending once, whatever breaks between: one connected before the fault, one after."""

import asyncio
import json
import shutil

from websockets.exceptions import ConnectionClosed

from forgesyte_contracts.ids import new_job_id
from tests.support import eventually
from tests.support.nats import free_port


async def endings(make, *watchers) -> list[list[str]]:
    """Hear each out, and a little longer; the endings each was told."""

    async def hear_out(watcher) -> list[str]:
        heard = await make.hear_until(watcher, make.is_ending)
        await watcher.send('{"type": "ping"}')
        heard += await make.hear_until(watcher, lambda message: message["type"] == "pong")
        return [message["payload"]["status"] for message in heard if make.is_ending(message)]

    return [await hear_out(watcher) for watcher in watchers]


async def back(*buses) -> None:
    await eventually(lambda: all(bus.is_connected for bus in buses))


async def test_the_bus_is_killed_and_comes_back(server, served, bus, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await make.joined(served, runner.job_id)
        await runner.frame(1, 100)

        server.kill()
        await eventually(lambda: not served.bus.is_connected)
        async with served.realtime(runner.job_id) as after, served.realtime(new_job_id()):
            await server.start()
            await back(served.bus, bus)
            await runner.complete(100)

            assert await endings(make, before, after) == [["completed"], ["completed"]]


async def test_the_bus_stands_still_and_goes_on(server, served, bus, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await make.joined(served, runner.job_id)

        server.pause()
        async with served.realtime(runner.job_id) as after:
            await runner.frame(1, 100)  # goes into a socket that nobody reads: late, if at all
            server.resume()
            await back(served.bus, bus)
            await runner.fail()
            await runner.frame(2, 100)

            assert await endings(make, before, after) == [["failed"], ["failed"]]


async def test_the_job_ends_while_the_gateway_is_cut_off(server, play, make):
    """The news of the ending was never sent to this gateway: it reads the record when the bus is back."""
    runner = await play()
    async with make.serving(server) as served, served.realtime(runner.job_id) as before:
        await make.joined(served, runner.job_id)
        for connection in (served.bus._main, served.bus.live._connection):
            connection._client._transport._io_writer.transport.abort()
        await runner.complete(5)

        assert await endings(make, before) == [["completed"]]


async def test_somebody_joins_while_the_bus_is_away_and_is_told_when_it_is_back(server, served, bus, play, make):
    runner = await play()
    server.kill()
    await eventually(lambda: not served.bus.is_connected)
    async with served.realtime(runner.job_id) as watcher, served.flat(runner.job_id) as flat:
        await watcher.send('{"type": "ping"}')
        assert (await make.hear(watcher))["type"] == "pong"

        await server.start()
        await back(served.bus, bus)
        await runner.frame(3, 4)
        assert (await make.hear(watcher))["type"] == "plugin_status"
        assert (await make.hear(flat))["job_id"] == runner.job_id


async def test_the_gateway_is_restarted_and_a_client_goes_on_with_its_last_seq(server, play, make):
    runner = await play()
    async with make.serving(server, port=free_port()) as first:
        watcher = await first.realtime(runner.job_id)
        heard = await make.hear_until(watcher, lambda message: "seq" in message)
        seq = heard[-1]["seq"]
        await make.joined(first, runner.job_id)
    try:
        while True:
            await watcher.recv()
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        assert closed.rcvd.code == 1000

    async with make.serving(server, port=first.port) as second:
        async with second.realtime(runner.job_id, since=seq) as again:
            await make.joined(second, runner.job_id)
            await runner.complete(7)
            rest = await make.hear_until(again, make.is_ending)
            last = rest[-1]["seq"]
        assert [message["type"] for message in rest] == ["plugin_status", "progress"]

        async with second.realtime(runner.job_id, since=last) as once_more:
            await make.joined(second, runner.job_id)
            await once_more.send('{"type": "ping"}')
            assert (await make.hear(once_more))["type"] == "pong"


async def test_the_bus_lost_its_disk_and_whoever_watched_hears_that_the_job_is_gone(server, served, bus, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await make.joined(served, runner.job_id)

        await stand_in(server, bus, None)
        heard = await make.hear_until(before, lambda message: message["type"] == "error")

        assert heard[-1]["payload"]["details"]["error_code"] == "JOB_UNKNOWN"
        assert heard[-1]["payload"]["job_id"] == runner.job_id


async def test_the_bus_went_back_to_a_copy_and_whoever_watched_hears_the_job_end(server, served, bus, play, make):
    """The copy's revisions are lower than those that were seen: they count nevertheless."""
    runner = await play()
    server.kill()
    await asyncio.to_thread(shutil.copytree, server.folder / "jetstream", server.folder / "copy")
    await server.start()
    await back(served.bus, bus)
    async with served.realtime(runner.job_id) as before, served.flat(runner.job_id) as flat:
        await make.joined(served, runner.job_id, 2)
        for frame in range(1, 6):
            await runner.write(frame, 100)
        await make.hear_until(before, lambda message: message.get("seq") == runner.revision)

        await stand_in(server, bus, server.folder / "copy")
        await runner.claim("runner-2")
        await runner.complete(100)

        assert await endings(make, before) == [["completed"]]
        assert (await make.hear_until(flat, make.is_ending))[-1]["status"] == "completed"


async def stand_in(server, bus, copy) -> None:
    """Let the server come back with other data: with a copy, or with none."""
    server.kill()
    await asyncio.to_thread(shutil.rmtree, server.folder / "jetstream")
    if copy is not None:
        await asyncio.to_thread(shutil.move, copy, server.folder / "jetstream")
    await server.start()
    await eventually(lambda: bus.is_connected)
    await bus.ensure()


async def test_another_runner_goes_on_and_the_first_ones_late_messages_are_not_shown(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await make.joined(served, runner.job_id)
        await runner.frame(50, 100)
        zombie = runner.order._replace(n=51)
        await make.hear_until(before, make.is_frame(50))
        await runner.claim("runner-2")
        await make.hear_until(before, lambda message: message["type"] == "plugin_status")

        async with served.realtime(runner.job_id) as after:
            await make.joined(served, runner.job_id, 2)
            await runner.frame(51, 100, order=zombie)
            await runner.frame(1, 100)
            await runner.complete(100)
            heard = await make.hear_until(before, make.is_ending)
            frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]

            assert 51 not in frames
            assert (await make.hear_until(after, make.is_ending))[-1]["payload"]["status"] == "completed"


async def test_who_joins_is_not_told_the_state_before_the_gateway_listens_to_the_job(served, play, make):
    """The feed may bring the record while the subscription is being made: what is said until then would be lost."""
    runner = await play()
    watches = served.gateway.watches
    async with watches._tap._lock:  # the subscription takes its time
        watcher = await served.flat(runner.job_id)
        await eventually(lambda: len(watches) == 1)
        await runner.write(1, 10)
        await eventually(lambda: watches._watches[runner.job_id].revision == runner.revision)
        is_owed = watches._watches[runner.job_id].is_owed
    told = await make.hear(watcher)
    await watcher.close()

    assert is_owed
    assert told["current_frame"] == 1


async def test_messages_between_a_subscription_and_the_record_are_not_lost(served, bus, play, make):
    """A watcher that joins in the middle of a flood ends up with the newest frame."""
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
        heard = await make.hear_until(watcher, make.is_frame(300))
        frames = [message["current_frame"] for message in heard]
        assert frames == sorted(frames)
        await watcher.close()


async def test_garbage_from_one_client_disturbs_no_other(served, play, make):
    runner = await play()
    async with served.flat(runner.job_id) as watcher, served.watch("/v1/realtime") as noisy:
        await make.joined(served, runner.job_id)
        for frame in range(1, 51):
            await noisy.send(json.dumps({"type": "x" * 100, "payload": frame}))
            await noisy.send("{" * 1000)
            await runner.frame(frame, 50)
        heard = await make.hear_until(watcher, make.is_frame(50))
        await runner.complete(50)
        heard += await make.hear_until(watcher, make.is_ending)

    assert [message["current_frame"] for message in heard[:-1]] == list(range(51))


async def test_progress_does_not_fall_when_a_runner_dies_ahead_of_its_record(served, play, make):
    runner = await play()
    await runner.write(40, 100)
    async with served.realtime(runner.job_id) as watcher, served.flat(runner.job_id) as flat:
        await make.joined(served, runner.job_id, 2)
        await runner.frame(43, 100)
        heard = await make.hear_until(watcher, make.is_frame(43))
        told = await make.hear_until(flat, make.is_frame(43))

        await runner.claim("runner-2")
        for frame in (1, 41, 42):
            await runner.frame(frame, 100)
        await runner.write(42, 100)
        await runner.fail()
        heard += await make.hear_until(watcher, make.is_ending)
        told += await make.hear_until(flat, make.is_ending)

    percents = [message["payload"]["progress"] for message in heard if message["type"] == "progress"]
    assert percents == sorted(percents)
    assert percents[-1] == 43
    flat_percents = [message["percent"] for message in told[:-1]]
    assert flat_percents == sorted(flat_percents)

"""Clients get the right ending once, whatever happens to the bus: those that watch and those that join later."""

import asyncio
import shutil

import pytest
from websockets.exceptions import ConnectionClosed

from forgesyte_contracts.ids import new_job_id
from tests.support import eventually
from tests.support.gateway import hear, hear_until, is_ending, joined, serving
from tests.support.nats import free_port


@pytest.fixture
def server(own_server):
    return own_server


async def endings(*watchers) -> list[list[str]]:
    """Return the endings each client got, up to a little after the first."""

    async def hear_out(watcher) -> list[str]:
        heard = await hear_until(watcher, is_ending)
        await watcher.send('{"type": "ping"}')
        heard += await hear_until(watcher, lambda message: message["type"] == "pong")
        return [message["payload"]["status"] for message in heard if is_ending(message)]

    return [await hear_out(watcher) for watcher in watchers]


async def back(*buses) -> None:
    await eventually(lambda: all(bus.is_connected for bus in buses))


async def test_the_bus_is_killed_and_comes_back(server, served, bus, play):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await joined(served, runner.job_id)
        await runner.frame(1, 100)

        server.kill()
        await eventually(lambda: not served.bus.is_connected)
        async with served.realtime(runner.job_id) as after, served.realtime(new_job_id()):
            await server.start()
            await back(served.bus, bus)
            await runner.complete(100)

            assert await endings(before, after) == [["completed"], ["completed"]]


async def test_the_bus_stands_still_and_goes_on(server, served, bus, play):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await joined(served, runner.job_id)

        server.pause()
        async with served.realtime(runner.job_id) as after:
            await runner.frame(1, 100)  # the server does not read it now: it arrives late, if at all
            server.resume()
            await back(served.bus, bus)
            await runner.fail()
            await runner.frame(2, 100)

            assert await endings(before, after) == [["failed"], ["failed"]]


async def test_the_job_ends_while_the_gateway_is_cut_off(server, play):
    """This gateway was never sent the ending: it reads the record when the bus is back."""
    runner = await play()
    async with serving(server) as served, served.realtime(runner.job_id) as before:
        await joined(served, runner.job_id)
        for connection in (served.bus._main, served.bus.live._connection):
            connection._client._transport._io_writer.transport.abort()
        await runner.complete(5)

        assert await endings(before) == [["completed"]]


async def test_a_client_that_joins_while_the_bus_is_down_gets_the_state_when_it_is_back(server, served, bus, play):
    runner = await play()
    server.kill()
    await eventually(lambda: not served.bus.is_connected)
    async with served.realtime(runner.job_id) as watcher, served.flat(runner.job_id) as flat:
        await watcher.send('{"type": "ping"}')
        assert (await hear(watcher))["type"] == "pong"

        await server.start()
        await back(served.bus, bus)
        await runner.frame(3, 4)
        assert (await hear(watcher))["type"] == "plugin_status"
        assert (await hear(flat))["job_id"] == runner.job_id


async def test_the_gateway_is_restarted_and_a_client_goes_on_with_its_last_seq(server, play):
    runner = await play()
    async with serving(server, port=free_port()) as first:
        watcher = await first.realtime(runner.job_id)
        heard = await hear_until(watcher, lambda message: "seq" in message)
        seq = heard[-1]["seq"]
        await joined(first, runner.job_id)
    try:
        while True:
            await watcher.recv()
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        assert closed.rcvd.code == 1000

    async with serving(server, port=first.port) as second:
        async with second.realtime(runner.job_id, since=seq) as again:
            await joined(second, runner.job_id)
            await runner.complete(7)
            rest = await hear_until(again, is_ending)
            last = rest[-1]["seq"]
        assert [message["type"] for message in rest] == ["plugin_status", "progress"]

        async with second.realtime(runner.job_id, since=last) as once_more:
            await joined(second, runner.job_id)
            await once_more.send('{"type": "ping"}')
            assert (await hear(once_more))["type"] == "pong"


async def test_the_bus_lost_its_disk_and_the_clients_hear_that_the_job_is_gone(server, served, bus, play):
    runner = await play()
    async with served.realtime(runner.job_id) as before:
        await joined(served, runner.job_id)

        await come_back_with(server, bus, None)
        heard = await hear_until(before, lambda message: message["type"] == "error")

        assert heard[-1]["payload"]["details"]["error_code"] == "JOB_UNKNOWN"
        assert heard[-1]["payload"]["job_id"] == runner.job_id


async def test_the_bus_went_back_to_a_copy_and_the_clients_hear_the_job_end(server, served, bus, play):
    """The revisions of the copy are lower than those the gateway knows; they count nevertheless."""
    runner = await play()
    server.kill()
    await asyncio.to_thread(shutil.copytree, server.folder / "jetstream", server.folder / "copy")
    await server.start()
    await back(served.bus, bus)
    async with served.realtime(runner.job_id) as before, served.flat(runner.job_id) as flat:
        await joined(served, runner.job_id, 2)
        for frame in range(1, 6):
            await runner.write(frame, 100)
        await hear_until(before, lambda message: message.get("seq") == runner.revision)

        await come_back_with(server, bus, server.folder / "copy")
        await runner.claim("runner-2")
        await runner.complete(100)

        assert await endings(before) == [["completed"]]
        assert (await hear_until(flat, is_ending))[-1]["status"] == "completed"


async def come_back_with(server, bus, copy) -> None:
    """Restart the server with other data: a copy, or none."""
    server.kill()
    await asyncio.to_thread(shutil.rmtree, server.folder / "jetstream")
    if copy is not None:
        await asyncio.to_thread(shutil.move, copy, server.folder / "jetstream")
    await server.start()
    await eventually(lambda: bus.is_connected)
    await bus.ensure()

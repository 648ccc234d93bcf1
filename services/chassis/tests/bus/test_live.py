import pytest

from forgesyte_chassis.bus import LiveMessage
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.streams import MAX_BUS_BYTES
from tests.support import eventually


async def test_live_message_reaches_the_watchers_of_that_job_alone(connect):
    runner, gateway = await connect(), await connect()
    job_id, seen = new_job_id(), []
    async with gateway.live.follow(lambda _job_id, message: seen.append(message), job_id):
        await runner.live.publish(new_job_id(), "progress", b"other", "1.1")

        async def heard():
            # Live messages may get lost with a connection, as on a starved machine, so it is said until it is heard.
            await runner.live.publish(job_id, "progress", b"ours", "1.2")
            return seen

        await eventually(heard)

    assert set(seen) == {LiveMessage("progress", b"ours", "1.2")}


async def test_live_has_a_connection_of_its_own(bus):
    assert bus.live._connection is not bus._main


async def test_too_large_message_is_dropped(bus):
    assert not await bus.live.publish(new_job_id(), "frame", b"x" * (MAX_BUS_BYTES + 1), "1.1")
    assert bus.live.dropped == 1


@pytest.mark.slow
async def test_live_messages_of_an_outage_are_dropped_and_never_sent_late(server, bus):
    job_id, seen = new_job_id(), []
    async with bus.live.follow(lambda _job_id, message: seen.append(message), job_id):
        server.kill()
        await eventually(lambda: not bus.live._connection.is_connected)

        assert not await bus.live.publish(job_id, "progress", b"late", "1.1")
        await server.start()
        await eventually(lambda: bus.live._connection.is_connected)
        assert await bus.live.publish(job_id, "progress", b"now", "1.2")
        await eventually(lambda: seen)

    assert [message.body for message in seen] == [b"now"]
    assert bus.live.dropped == 1


@pytest.mark.slow
async def test_live_is_dropped_when_the_socket_of_a_stopped_server_is_full(server, bus):
    server.pause()
    try:
        body = b"x" * MAX_BUS_BYTES
        for number in range(200):
            if not await bus.live.publish(new_job_id(), "frame", body, f"1.{number}"):
                break
    finally:
        server.resume()

    assert bus.live.dropped == 1

"""The dispatcher of a running gateway, seen through real sockets."""

import asyncio

from forgesyte_contracts.realtime import ErrorDetails, ErrorPayload, MessageType, envelope
from forgesyte_realtime_gateway.messages.message import Message
from tests.support import eventually
from tests.support.gateway import hear, hear_until, is_ending, joined


def a_message(text: str = "hello") -> Message:
    details = ErrorDetails(error_code="INTERNAL", message=text)
    return Message(MessageType.ERROR, envelope(ErrorPayload(error="a test", details=details)))


async def connected(manager, count: int) -> list[str]:
    await eventually(lambda: len(manager.get_active_connections()) == count)
    return manager.get_active_connections()


def text_of(message) -> str:
    return message["payload"]["details"]["message"]


async def test_it_is_empty_at_the_start(served):
    manager = served.gateway.manager

    assert manager.get_active_connections() == []
    assert manager.is_connected("a stranger") is False
    assert manager.broadcast(a_message()) == 0


async def test_a_client_is_connected_until_it_disconnects(served):
    manager = served.gateway.manager
    async with served.watch("/v1/realtime"):
        (client_id,) = await connected(manager, 1)
        assert manager.is_connected(client_id) is True

    await connected(manager, 0)
    assert manager.is_connected(client_id) is False
    assert manager.disconnect(client_id) is False


async def test_two_clients_are_listed_and_a_broadcast_reaches_both(served):
    manager = served.gateway.manager
    async with served.watch("/v1/realtime") as one, served.watch("/v1/realtime") as other:
        ids = await connected(manager, 2)
        assert len(set(ids)) == 2

        assert manager.broadcast(a_message()) == 2
        assert [text_of(await hear(socket)) for socket in (one, other)] == ["hello", "hello"]


async def test_send_to_reaches_one_client_and_no_stranger(served):
    manager = served.gateway.manager
    async with served.watch("/v1/realtime") as first, served.watch("/v1/realtime") as second:
        ids = await connected(manager, 2)

        assert manager.send_to(ids[1], a_message("you")) is True
        assert manager.send_to("a stranger", a_message()) is False
        manager.broadcast(a_message("all"))
        heard = {text_of(await hear(first)), text_of(await hear(second))}

    assert heard == {"all", "you"}


async def test_a_room_is_one_jobs(served, play):
    one, other = await play(), await play()
    async with served.realtime(one.job_id) as mine, served.realtime(other.job_id) as theirs:
        await joined(served, one.job_id)
        await joined(served, other.job_id)

        await one.complete(1)
        await other.cancel()
        endings = [(await hear_until(socket, is_ending))[-1]["payload"] for socket in (mine, theirs)]

    assert [(ending["job_id"], ending["status"]) for ending in endings] == [
        (one.job_id, "completed"),
        (other.job_id, "cancelled"),
    ]


async def test_connections_are_counted_by_transport_and_by_how_they_ended(served, play):
    runner = await play()
    async with served.realtime(runner.job_id), served.flat(runner.job_id):
        await connected(served.gateway.manager, 2)
        assert served.count("connections", transport="ws") == served.count("connections", transport="ws_job") == 1

    await connected(served.gateway.manager, 0)
    assert served.count("connects_total", result="accepted") == 2
    assert served.count("disconnects_total", reason="client") == 2


async def test_1000_connections_that_open_and_close_leave_nothing(served, play):
    runner = await play()

    async def open_and_close() -> None:
        for _ in range(50):
            async with served.flat(runner.job_id):
                pass

    async with served.flat(runner.job_id) as socket:
        await joined(served, runner.job_id)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(open_and_close())
        await runner.complete(1)
        assert is_ending((await hear_until(socket, is_ending))[-1])
        await connected(served.gateway.manager, 1)

    await connected(served.gateway.manager, 0)
    assert len(served.gateway.watches) == 0
    assert served.gateway.manager._rooms == {}

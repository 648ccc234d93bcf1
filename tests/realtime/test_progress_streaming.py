"""A job watched from its first frame to its ending, over the flat socket."""

import json

from tests.support import eventually
from tests.support.gateway import hear, hear_until, is_ending, is_frame, joined


async def test_ping_then_0_50_and_100_percent_in_order_then_the_ending(served, play):
    runner = await play()
    async with served.flat(runner.job_id) as socket:
        await socket.send(json.dumps({"type": "ping"}))
        heard = await hear_until(socket, lambda message: message == {"type": "pong"})
        await joined(served, runner.job_id)

        await runner.frame(50, 100)
        await runner.frame(100, 100)
        heard += await hear_until(socket, is_frame(100))
        await runner.complete(100)
        heard += await hear_until(socket, is_ending)

    percents = [message["percent"] for message in heard if "percent" in message]
    assert percents == [0, 50, 100]
    assert heard[-1] == {"status": "completed", "job_id": runner.job_id}


async def test_two_clients_of_one_job_get_the_same(served, play):
    runner = await play()
    async with served.flat(runner.job_id) as one, served.watch(f"/v1/ws/jobs/{runner.job_id}") as other:
        await joined(served, runner.job_id, 2)

        for frame in (1, 2, 3):
            await runner.frame(frame, 3)
        heard = [await hear_until(socket, is_frame(3)) for socket in (one, other)]
        await runner.complete(3)
        for messages, socket in zip(heard, (one, other), strict=True):
            messages += await hear_until(socket, is_ending)

    assert heard[0] == heard[1]
    assert [message["current_frame"] for message in heard[0][:-1]] == [0, 1, 2, 3]


async def test_a_watcher_hears_only_of_its_own_job(served, play):
    mine, other = await play(), await play()
    async with served.flat(mine.job_id) as socket, served.flat(other.job_id):
        await joined(served, mine.job_id)
        await joined(served, other.job_id)

        await other.frame(1, 2)
        await other.complete(2)
        await mine.complete(1)
        heard = await hear_until(socket, is_ending)

    assert {message["job_id"] for message in heard} == {mine.job_id}


async def test_progress_carries_the_tools(served, play):
    runner = await play(tools=("detect-motion", "track-objects"), job_type="video_multi")
    async with served.flat(runner.job_id) as socket:
        await joined(served, runner.job_id)

        await runner.frame(1, 2)
        heard = await hear_until(socket, is_frame(1))

    assert heard[-1] == {
        "job_id": runner.job_id,
        "current_frame": 1,
        "total_frames": 2,
        "percent": 50,
        "current_tool": "detect-motion",
        "tools_total": 2,
        "tools_completed": 0,
    }


async def test_a_client_that_disconnected_leaves_nothing_behind(served, play):
    runner = await play()
    async with served.flat(runner.job_id):
        await joined(served, runner.job_id)

    await eventually(lambda: not served.gateway.manager.get_active_connections())
    await eventually(lambda: len(served.gateway.watches) == 0)
    assert served.count("connections", transport="ws_job") == 0


async def test_percent_never_falls_when_a_later_attempt_begins_at_frame_0(served, play):
    runner = await play()
    async with served.flat(runner.job_id) as socket:
        await joined(served, runner.job_id)
        await runner.frame(60, 100)
        heard = await hear_until(socket, is_frame(60))

        await runner.claim("runner-2")
        await runner.frame(10, 100)
        await runner.frame(80, 100)
        heard += await hear_until(socket, is_frame(80))

    percents = [message["percent"] for message in heard]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 80)


async def test_a_finished_job_answers_at_once(served, play):
    runner = await play()
    await runner.complete(12)

    async with served.flat(runner.job_id) as socket:
        heard = await hear_until(socket, is_ending)

    assert [message.get("percent", message.get("status")) for message in heard] == [100, "completed"]


async def test_a_late_joiner_gets_the_current_state_and_goes_on_from_there(served, play):
    runner = await play()
    await runner.write(40, 100)

    async with served.flat(runner.job_id) as socket:
        first = await hear(socket)
        await joined(served, runner.job_id)
        await runner.frame(41, 100)
        second = await hear(socket)

    assert (first["percent"], second["percent"]) == (40, 41)

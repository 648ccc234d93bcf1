"""What one client sends must not disturb the others."""

import json

from tests.support.gateway import hear_until, is_ending, is_frame, joined


async def test_a_flood_of_client_messages_lets_the_others_have_their_turn(served, play):
    runner = await play()
    async with served.realtime(runner.job_id) as watcher, served.watch("/v1/realtime") as noisy:
        await joined(served, runner.job_id)
        await hear_until(watcher, is_frame(0))
        for _ in range(5000):
            await noisy.send('{"type":"pong"}')
        for frame in range(1, 11):
            await runner.frame(frame, 10)
            await hear_until(watcher, is_frame(frame))


async def test_garbage_from_one_client_disturbs_no_other(served, play):
    runner = await play()
    async with served.flat(runner.job_id) as watcher, served.watch("/v1/realtime", max_queue=None) as noisy:
        await joined(served, runner.job_id)
        for frame in range(1, 51):
            await noisy.send(json.dumps({"type": "x" * 100, "payload": frame}))
            await noisy.send("{" * 1000)
            await runner.frame(frame, 50)
        heard = await hear_until(watcher, is_frame(50))
        await runner.complete(50)
        heard += await hear_until(watcher, is_ending)

    assert [message["current_frame"] for message in heard[:-1]] == list(range(51))

"""Many frames, many clients, and many connections after each other."""

import asyncio
import gc
import tracemalloc
from collections import Counter

from forgesyte_realtime_gateway.clients.client import Client
from tests.support import eventually
from tests.support.gateway import hear, hear_until, is_ending, joined


async def test_1000_frames_do_not_lose_the_ending(served, play):
    runner = await play()
    async with served.realtime(runner.job_id) as one, served.flat(runner.job_id) as other:
        await joined(served, runner.job_id, 2)
        for frame in range(1, 1001):
            await runner.frame(frame, 1000)
        await runner.complete(1000)
        heard = await hear_until(one, is_ending)
        flat = await hear_until(other, is_ending)

    frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]
    assert frames == sorted(frames)
    percents = [message["percent"] for message in flat[:-1]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert sum(is_ending(message) for message in heard) == sum(is_ending(message) for message in flat) == 1


class Crowd:
    """Clients of the flat socket, and how many of them got which frame."""

    def __init__(self, served) -> None:
        self._served = served
        self.heard: Counter[tuple[str, int]] = Counter()
        self.endings: Counter[str] = Counter()

    async def watch(self, job_id: str) -> None:
        async with self._served.flat(job_id, open_timeout=60) as watcher:
            while not is_ending(message := await hear(watcher)):
                self.heard[job_id, message["current_frame"]] += 1
            self.endings[message["status"]] += 1


async def test_300_watchers_of_one_job_and_100_jobs_with_one_each_get_everything(served, play):
    watched = {await play(): 300} | {await play(): 1 for _ in range(100)}
    crowd = Crowd(served)

    async with asyncio.TaskGroup() as group:
        for runner, count in watched.items():
            for _ in range(count):
                group.create_task(crowd.watch(runner.job_id))
        for runner, count in watched.items():
            await joined(served, runner.job_id, count)
        # One frame after the other: a client that pauses for a moment may get the newest frame instead of each.
        for frame in range(1, 11):
            for runner in watched:
                await runner.frame(frame, 10)
            expected = {(runner.job_id, frame): count for runner, count in watched.items()}
            await eventually(lambda expected=expected: expected.items() <= crowd.heard.items(), what=f"frame {frame}")
        for runner in watched:
            await runner.complete(10)

    assert crowd.endings == {"completed": 400}


async def test_memory_is_flat_after_100_connect_cycles(served, play):
    runner = await play()

    async def cycle() -> None:
        async with served.realtime(runner.job_id) as one, served.flat(runner.job_id) as other:
            await hear(one)
            await hear(other)
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

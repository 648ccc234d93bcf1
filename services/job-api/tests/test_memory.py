"""job-api in a process of its own, fed more than it could hold: memory stays flat, half an upload leaves nothing."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from forgesyte_chassis.bus import Bus
from tests.support import eventually, job_ids, make_clip

MIB = 1 << 20
UPLOAD_BYTES = 1024 * MIB
MAX_GROWTH_BYTES = 32 * MIB
QUERY = {"plugin_id": "motion", "tool": "detect-motion", "filename": "large.mp4"}
VIDEO = {"Content-Type": "video/mp4"}


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> bytes:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=20).read_bytes()


def padding(size: int) -> bytes:
    """The head of an MP4 box `free` of `size` bytes (64-bit form): what a player skips."""
    return (1).to_bytes(4, "big") + b"free" + size.to_bytes(8, "big")


async def large_video(clip: bytes, size: int) -> AsyncIterator[bytes]:
    """A playable MP4 of `size` bytes, made while it is sent."""
    rest = size - len(clip)
    yield clip + padding(rest)
    rest -= 16
    block = bytes(MIB)
    while rest > 0:
        yield block[:rest]
        rest -= MIB


class Service:
    """`python -m forgesyte_job_api` with its address and its memory."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.psutil = psutil.Process(process.pid)
        self.peak_bytes = 0

    @property
    def rss_bytes(self) -> int:
        return self.psutil.memory_info().rss

    async def watch_memory(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, self.rss_bytes)
            await asyncio.sleep(0.02)

    async def upload(self, video: AsyncIterator[bytes]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=600) as http:
            return await http.post("/v1/video/submit", params=QUERY, content=video, headers=VIDEO)


@asynccontextmanager
async def service(server, tmp_path: Path) -> AsyncIterator[Service]:
    facts = {"BUS_URL": server.url, "STORE_URL": tmp_path / "store", "SCRATCH_DIR": tmp_path / "scratch"}
    facts |= {"PORT": 0, "OPS_PORT": -1, "LOG_FORMAT": "json"}
    env = {**os.environ, **{f"FORGESYTE_JOB_API_{name}": str(value) for name, value in facts.items()}}
    log = tmp_path / "job-api.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "forgesyte_job_api", env=env, stdout=out, stderr=out
        )
    try:
        found = await eventually(lambda: re.search(r'"port": ?(\d+)', log.read_text()), 60, f"ready line in {log}")
        yield Service(process, int(found[1]))
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def runner_played(server, make) -> AsyncIterator[Bus]:
    """A bus on which a runner reports as often as a real one."""
    async with Bus.connect(server.url, name="test") as bus:
        await bus.ensure()

        async def beat() -> None:
            while True:
                await bus.runners.beat(make.a_heartbeat())
                await asyncio.sleep(2)

        async with asyncio.TaskGroup() as group:
            beating = group.create_task(beat())
            yield bus
            beating.cancel()


def files_left(tmp_path: Path) -> list[Path]:
    """Every file of store and scratch but the locks."""
    found = [path for root in ("store", "scratch") for path in (tmp_path / root).rglob("*") if path.is_file()]
    return [path for path in found if path.name != "lock"]


async def warmed_up(api: Service, bus: Bus, clip: bytes) -> None:
    """Let a small upload pass, so that what is made once is there."""

    async def accepted() -> bool:
        return (await api.upload(large_video(clip, 24 * MIB))).status_code == 202

    await eventually(accepted, 60, "job-api has heard of the plugin")
    for job_id in await job_ids(bus):
        await bus.jobs.purge(job_id, revision=(await bus.jobs.get(job_id)).revision)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_memory_stays_flat_over_an_upload_of_1_gib(server, make, tmp_path, clip):
    async with runner_played(server, make) as bus, service(server, tmp_path) as api:
        await warmed_up(api, bus, clip)
        before_bytes = api.rss_bytes
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(api.watch_memory())

            answer = await api.upload(large_video(clip, UPLOAD_BYTES))

            watching.cancel()

        assert answer.status_code == 202, answer.text
        record = (await bus.jobs.get(answer.json()["job_id"])).record
        assert record.input.size_bytes == UPLOAD_BYTES
        assert (record.decode.codec, record.decode.width) == ("h264", 160)
        growth_bytes = api.peak_bytes - before_bytes
        print(f"job-api: {before_bytes >> 20} MiB before, grew by {growth_bytes / MIB:.1f} MiB over 1 GiB")
        assert growth_bytes <= MAX_GROWTH_BYTES


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_client_that_stops_in_the_middle_of_a_large_upload_leaves_nothing(server, make, tmp_path, clip):
    async with runner_played(server, make) as bus, service(server, tmp_path) as api:
        await warmed_up(api, bus, clip)
        kept = set(files_left(tmp_path))
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        target = "/v1/video/submit?plugin_id=motion&tool=detect-motion"
        kind = f"Content-Type: video/mp4\r\nContent-Length: {UPLOAD_BYTES}"
        head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n\r\n"
        writer.write(head.encode())
        async for chunk in large_video(clip, UPLOAD_BYTES // 4):
            writer.write(chunk)
            await writer.drain()
        await eventually(lambda: set(files_left(tmp_path)) - kept, what="the upload is under way")

        writer.transport.abort()

        await eventually(lambda: set(files_left(tmp_path)) == kept, what="nothing of it is left")
        assert await job_ids(bus) == []

"""The workloads of against_commit: requests to a running product from outside, over HTTP and WebSockets only.

Each is a fixed amount of work, so that CPU seconds can be compared, and uses no code of the product: it must run
unchanged against an older commit.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from benchmarks.analyze_latency import a_jpeg
from benchmarks.clips import write_clip

JOB_LIMIT_S = 120.0
_LOOK_EVERY_S = 0.2
_ENDINGS = ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much work each workload requests. The defaults take well under a minute per checkout on two quiet cores."""

    analyses: int = 100
    large_frames: int = 300
    small_frames: int = 3000
    short_jobs: int = 60
    reads: int = 1500
    watchers: int = 100
    watched_frames: int = 250


@dataclass(frozen=True, slots=True)
class Caller:
    """A client of one product, with the clips it submits.

    Attributes:
        http: sends requests to the product.
        clips: a folder with the clips from write_clips().
        amounts: how much work to request.
    """

    http: httpx.AsyncClient
    clips: Path
    amounts: Amounts

    async def submit(self, clip: str, plugin: str, tool: str, **options: object) -> str:
        """Submit a clip and return the job's id."""
        query = {"plugin_id": plugin, "tool": tool, "options": json.dumps(options), "filename": clip}
        data = (self.clips / clip).read_bytes()
        answer = await self.http.post(
            "/v1/video/submit", params=query, content=data, headers={"Content-Type": "video/mp4"}
        )
        return str(answer.raise_for_status().json()["job_id"])

    async def completed(self, job_id: str) -> None:
        """Wait until a job has completed.

        Raises:
            RuntimeError: it ended in another way.
            TimeoutError: it did not end in time.
        """
        async with asyncio.timeout(JOB_LIMIT_S):
            while (status := await self._status(job_id)) not in _ENDINGS:  # noqa: ASYNC110  asked over HTTP
                await asyncio.sleep(_LOOK_EVERY_S)
        if status != "completed":
            raise RuntimeError(f"job {job_id} is {status}")

    async def _status(self, job_id: str) -> str:
        return str((await self.http.get(f"/v1/jobs/{job_id}")).raise_for_status().json()["status"])


def write_clips(folder: Path, amounts: Amounts) -> None:
    """Write the clips that the workloads submit."""
    write_clip(folder / "large.mp4", frames=amounts.large_frames, size_wh=(1280, 720))
    write_clip(folder / "small.mp4", frames=amounts.small_frames, size_wh=(160, 120))
    write_clip(folder / "short.mp4", frames=1, size_wh=(160, 120))
    write_clip(folder / "watched.mp4", frames=amounts.watched_frames, size_wh=(160, 120))


async def analyze(caller: Caller) -> None:
    """Request the analysis of one image after the other."""
    query, jpeg = {"plugin_id": "picture", "tool": "measure"}, a_jpeg()
    for _ in range(caller.amounts.analyses):
        answer = await caller.http.post(
            "/v1/image/analyze", params=query, content=jpeg, headers={"Content-Type": "image/jpeg"}
        )
        answer.raise_for_status()


async def large_video(caller: Caller) -> None:
    """Run one video of large frames."""
    await caller.completed(await caller.submit("large.mp4", "motion-detector", "detect-motion"))


async def long_video(caller: Caller) -> None:
    """Run one video of many small frames."""
    await caller.completed(await caller.submit("small.mp4", "motion-detector", "detect-motion"))


async def short_jobs(caller: Caller) -> None:
    """Run many jobs of a single frame, all of them queued at once."""
    jobs = [await caller.submit("short.mp4", "probe", "gate") for _ in range(caller.amounts.short_jobs)]
    for job_id in jobs:
        await caller.completed(job_id)


async def reads(caller: Caller) -> None:
    """Read one finished job again and again."""
    job_id = await caller.submit("short.mp4", "probe", "gate")
    await caller.completed(job_id)
    for _ in range(caller.amounts.reads):
        (await caller.http.get(f"/v1/jobs/{job_id}")).raise_for_status()


async def fan_out(caller: Caller) -> None:
    """Watch one slow job over many sockets, until each has received its end."""
    url = str(caller.http.base_url).replace("http", "ws", 1).rstrip("/")
    job_id = await caller.submit("watched.mp4", "probe", "gate", at=0, pause_ms=20)
    async with asyncio.timeout(JOB_LIMIT_S), asyncio.TaskGroup() as group:
        for _ in range(caller.amounts.watchers):
            group.create_task(_watch(f"{url}/v1/ws/jobs/{job_id}"))
    await caller.completed(job_id)


async def _watch(url: str) -> None:
    async with connect(url, proxy=None, open_timeout=60, compression=None) as socket:
        async for message in socket:
            if json.loads(message).get("status") in _ENDINGS:
                return


Workload = Callable[[Caller], Awaitable[None]]

WORKLOADS: dict[str, Workload] = {
    "analyze": analyze,
    "large video": large_video,
    "long video": long_video,
    "short jobs": short_jobs,
    "reads": reads,
    "fan-out": fan_out,
}


@asynccontextmanager
async def calling(url: str, clips: Path, amounts: Amounts) -> AsyncIterator[Caller]:
    """Open a client whose sandboxes have been started once, so that only steady work is measured."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as http:
        caller = Caller(http, clips, amounts)
        await caller.completed(await caller.submit("short.mp4", "probe", "gate"))
        yield caller

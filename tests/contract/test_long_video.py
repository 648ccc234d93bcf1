"""A long video: rows can be read while they are made, and no parent process grows with the video.

100 000 frames in `make soak`, a fifth of them otherwise.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import av
import httpx
import numpy as np
import psutil
import pytest

from tests.support import IS_SOAK, Stack, eventually, make_clip, running_stack

FRAMES = 100_000 if IS_SOAK else 20_000
SIZE = 32
MOST_GROWTH_BYTES = 32 * 1024 * 1024
LIMIT_S = 900
PLUGINS = str(Path(__file__).parent / "plugins")

pytestmark = [pytest.mark.long, pytest.mark.timeout(LIMIT_S + 120)]


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    grey = [np.full((SIZE, SIZE, 3), 40 + 10 * index, np.uint8) for index in range(20)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        pictures = [av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p") for image in grey]
        for index in range(FRAMES):
            picture = pictures[index % len(pictures)]
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "data", env={"PYTHONPATH": PLUGINS}) as stack:
        yield stack


class Memory:
    """The resident bytes of the processes that must not grow: the most of each since the first look."""

    def __init__(self, stack: Stack) -> None:
        assert stack.process
        launcher, runner = psutil.Process(stack.process.pid), stack.runner()
        self._watched = {"launcher (job-api)": launcher, "runner": runner}
        self._watched |= {f"zygote of {name}": zygote_of(parent) for name, parent in self._watched.items()}
        self._first = self._now()
        self.most = dict(self._first)

    def look(self) -> None:
        for name, size in self._now().items():
            self.most[name] = max(self.most[name], size)

    def growth(self) -> dict[str, int]:
        return {name: self.most[name] - self._first[name] for name in self._first}

    def _now(self) -> dict[str, int]:
        return {name: process.memory_info().rss for name, process in self._watched.items()}


def zygote_of(parent: psutil.Process) -> psutil.Process:
    """The one child that sandboxes are forked from; it is started as a module of the sandbox's member."""
    (found,) = [child for child in parent.children() if "forgesyte_sandbox" in " ".join(child.cmdline())]
    return found


async def rows_of(http: httpx.AsyncClient, job_id: str, **query: int) -> AsyncIterator[dict]:
    params = {"format": "jsonl", **query}
    async with http.stream("GET", f"/v1/jobs/{job_id}/result", params=params) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            yield json.loads(line)


async def test_rows_of_a_long_video_are_read_while_they_are_made_and_memory_stays_flat(
    stack, long_video, tmp_path, capsys
):
    # 1. A short job, so that what is loaded once is loaded.
    warm = await stack.submit(make_clip(tmp_path / "warm.mp4", frames=500, size_wh=(32, 32)), "middle", "contract")
    await stack.ended(warm)
    memory = Memory(stack)

    # 2. The long one; each look asks for the job and, while it runs, for its newest rows.
    job_id = await stack.submit(long_video, "middle", "contract")
    read_while_running: dict[str, int] = defaultdict(int)

    async def has_ended() -> bool:
        job = await stack.job(job_id, extended=False)
        memory.look()
        if job["status"] == "running" and job["current_frame"]:
            start = max(0, job["current_frame"] - 2000)
            rows = [row["frame_index"] async for row in rows_of(stack.http, job_id, from_frame=start, limit=100)]
            assert rows == list(range(start, start + len(rows)))
            read_while_running["looks"] += 1
            read_while_running["rows"] += len(rows)
        return job["status"] not in ("pending", "running")

    await eventually(has_ended, LIMIT_S, "the long job ends")

    # 3. Everything is there, once, in order.
    job = await stack.job(job_id)
    assert (job["status"], job["total_frames"], job["progress"]) == ("completed", FRAMES, 100), job["error_message"]
    assert job["summary"]["frame_count"] == FRAMES
    indices = [row["frame_index"] async for row in rows_of(stack.http, job_id)]
    assert indices == list(range(FRAMES))
    memory.look()
    assert read_while_running["rows"] > 1000, read_while_running

    # 4. The parents are as large as before.
    with capsys.disabled():
        print(f"\n{FRAMES} frames: {seconds_of(job):.0f} s, stages {job['stage_timings_ms']}")
        print({name: f"{size / 2**20:.1f} MiB" for name, size in memory.growth().items()}, dict(read_while_running))
    assert {name: size for name, size in memory.growth().items() if size > MOST_GROWTH_BYTES} == {}


def seconds_of(job: dict) -> float:
    """From start to end by the record."""
    started, completed = (datetime.fromisoformat(job[name]) for name in ("started_at", "completed_at"))
    return (completed - started).total_seconds()

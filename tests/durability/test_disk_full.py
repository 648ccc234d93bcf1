"""The disk fills during submits, running jobs and endings, and is freed again: the service goes on by itself.

The whole product lies on a small disk of its own. Each round fills it in the middle of everything. `make disk-full`
does ten rounds of each kind; otherwise one is done.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from forgesyte_chassis.background import beside
from forgesyte_chassis.waiting import is_set_within
from tests.support import Stack, brightness_of, eventually, free_port, make_clip, meeting_point, running_stack
from tests.support.small_disk import SmallDisk, small_disk

ROUNDS = int(os.environ.get("FORGESYTE_DISK_ROUNDS", "1"))
TOLD_WITHIN_S = 5.0 if ROUNDS > 1 else 20.0
"""The promise is five seconds, and `make disk-full` holds it; among other tests, a busy machine may need more."""

FRAMES = 60
pytestmark = [pytest.mark.long, pytest.mark.timeout(180 + 150 * ROUNDS), pytest.mark.asyncio(loop_scope="module")]


def an_environment() -> dict[str, str]:
    # A gated frame waits for as long as the disk is full.
    return {"FORGESYTE_RUNNER_FRAME_TIMEOUT_S": "300", "FORGESYTE_LAUNCHER_OPS_PORT": str(free_port())}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("small") / "disk") as disk:
        yield disk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(disk: SmallDisk) -> AsyncIterator[Stack]:
    async with running_stack(
        disk.path / "data", slots=4, env=an_environment(), log=disk.path.parent / "up.log"
    ) as stack:
        yield stack


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@dataclass
class Submits:
    """Submits one job after the other until it is stopped; remembers what was accepted and how others were refused."""

    stack: Stack
    clip: Path
    accepted: list[str] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        query = {"plugin_id": "probe", "tool": "gate", "filename": "clip.mp4"}
        while not await is_set_within(self.stopping, 0.2):
            answer = await self.stack.http.post(
                "/v1/video/submit", params=query, content=self.clip.read_bytes(), headers={"Content-Type": "video/mp4"}
            )
            if answer.status_code == 202:
                self.accepted.append(answer.json()["job_id"])
            else:
                self.refused.append(answer)
        self.over.set()

    async def stop(self) -> None:
        """End after the submit under way."""
        self.stopping.set()
        await self.over.wait()

    def refused_with(self, code: str) -> bool:
        return any(answer.json()["code"] == code for answer in self.refused)


async def health(stack: Stack) -> dict:
    return (await stack.http.get("/health")).json()


async def told(stack: Stack, status: str) -> float:
    """Wait until health says so, of the storage or the bus or all, and return how many seconds that took."""
    began_s = time.monotonic()
    seen: dict[str, float] = {}

    async def says() -> bool:
        report = await health(stack)
        seen.update({text: time.monotonic() - began_s for text in report["checks"].values() if text != "ok"})
        is_of_the_disk = status == "healthy" or any(report["checks"][name] != "ok" for name in ("bus", "storage"))
        return report["status"] == status and is_of_the_disk

    try:
        await eventually(says, 40, f"health says {status}")
    except AssertionError as error:
        error.add_note(str(await health(stack)))
        raise
    took_s = time.monotonic() - began_s
    if took_s >= TOLD_WITHIN_S:
        print(f"{status} was told late; last seen: {seen}")
    return took_s


async def is_ready(stack: Stack, *, expected: bool = True) -> bool:
    port = stack.env["FORGESYTE_LAUNCHER_OPS_PORT"]
    return (await stack.http.get(f"http://127.0.0.1:{port}/readyz")).is_success is expected


async def assert_right(stack: Stack, job_id: str) -> None:
    """The job completed, once, with one right row for each frame."""
    job = await stack.ended(job_id)
    assert job["status"] == "completed", job
    assert [attempt["outcome"] for attempt in job["attempts"]].count("succeeded") == 1
    rows = await stack.rows(job_id)
    assert [row["frame_index"] for row in rows] == list(range(FRAMES))
    assert all(abs(row["detections"]["brightness"] - brightness_of(row["frame_index"])) <= 4 for row in rows)


class Gated:
    """A job that waits in the middle of its video."""

    def __init__(self) -> None:
        self.gate, self.reached, self.job_id = meeting_point("gate"), meeting_point("reached"), ""

    async def submit(self, stack: Stack, clip: Path) -> "Gated":
        self.job_id = await stack.submit(clip, "gate", at=30, gate=str(self.gate), reached=str(self.reached))
        await eventually(self.reached.exists, what="the job is in the middle")
        return self


async def _keep_broken(break_it: Callable[[], None]) -> None:
    """Break it again and again: what jobs that end give back must not repair it."""
    while True:
        break_it()
        await asyncio.sleep(0.1)


async def one_round(
    stack: Stack, clip: Path, break_it: Callable[[], None], repair_it: Callable[[], None], *, for_s: float
) -> None:
    """Break the storage during submits, running jobs and endings, repair it: what was accepted ends once and right."""
    running, ending = await Gated().submit(stack, clip), await Gated().submit(stack, clip)
    slow = await stack.submit(clip, "gate", at=0, pause_ms=100)
    submits = Submits(stack, clip)
    async with beside(submits.run()):
        await eventually(lambda: submits.accepted, what="submits are under way")

        break_it()
        async with beside(_keep_broken(break_it)):
            end_s = time.monotonic() + for_s
            ending.gate.touch()
            degraded_s = await told(stack, "degraded")
            checks = (await health(stack))["checks"]
            await eventually(lambda: submits.refused_with("STORAGE_FULL"), TOLD_WITHIN_S, "a submit is refused")
            await eventually(lambda: is_ready(stack, expected=False), TOLD_WITHIN_S, "not ready")
            await eventually(lambda: time.monotonic() > end_s, what="the time is over")
            assert (await health(stack))["status"] == "degraded"
        repair_it()
        well_s = await told(stack, "healthy")
        running.gate.touch()
        count = len(submits.accepted)
        await eventually(lambda: len(submits.accepted) > count, what="submits are accepted again")
        await submits.stop()
    said = {name: text for name, text in checks.items() if text != "ok"}
    print(f"broken for {for_s:g} s: told after {degraded_s:.1f} s, well after {well_s:.1f} s; ", end="")
    print(f"{len(submits.accepted)} jobs accepted, {len(submits.refused)} refused; {said}")

    assert {answer.status_code for answer in submits.refused} == {503}
    assert all("retry-after" in answer.headers for answer in submits.refused)
    for job_id in (running.job_id, ending.job_id, slow, *submits.accepted):
        await assert_right(stack, job_id)
    await eventually(lambda: is_ready(stack), what="ready again")
    assert degraded_s < TOLD_WITHIN_S
    assert well_s < TOLD_WITHIN_S


@pytest.mark.parametrize("for_s", [6.0, 60.0])
async def test_a_disk_that_was_full_needs_no_restart_by_hand(stack, disk, clip, for_s):
    for _ in range(ROUNDS):
        await one_round(stack, clip, disk.fill, disk.free, for_s=for_s)


async def test_a_disk_without_inodes_needs_no_restart_by_hand(stack, disk, clip):
    for _ in range(ROUNDS):
        await one_round(stack, clip, disk.fill_inodes, disk.free, for_s=6)


async def test_a_store_that_was_read_only_needs_no_restart_by_hand(tmp_path, clip):
    """The store alone: a disk on which a process keeps files open for writing cannot be made read-only at all."""
    with small_disk(tmp_path / "data" / "store") as disk:
        async with running_stack(tmp_path / "data", slots=4, env=an_environment()) as stack:
            for _ in range(ROUNDS):
                await one_round(stack, clip, disk.make_read_only, disk.make_writable, for_s=6)


@pytest.mark.parametrize("folder", ["store", "scratch", "logs", "run"])
async def test_a_folder_that_is_deleted_is_made_again_and_every_job_ends_once(stack, disk, clip, folder):
    jobs = [await Gated().submit(stack, clip) for _ in range(2)]

    shutil.rmtree(disk.path / "data" / folder)

    if folder in ("store", "scratch"):
        print(f"{folder}: told after {await told(stack, 'degraded'):.1f} s", end="")
        print(f", well after {await told(stack, 'healthy'):.1f} s")
    for job in jobs:
        job.gate.touch()
    for job in jobs:
        ended = await stack.ended(job.job_id)
        assert ended["status"] in ("completed", "failed"), ended
        assert ended["status"] == "completed" or folder in ("store", "scratch"), ended
    await assert_right(stack, await stack.submit(clip, "gate"))
    stack.nats().kill()
    await eventually(lambda: is_ready(stack, expected=False), what="the bus is gone")
    await eventually(lambda: is_ready(stack), what="the bus is back")
    await assert_right(stack, await stack.submit(clip, "gate"))


async def test_the_deleted_folder_of_the_bus_is_said_and_its_jobs_go_on(tmp_path, clip):
    async with running_stack(tmp_path / "data", env=an_environment()) as stack:
        job = await Gated().submit(stack, clip)

        shutil.rmtree(tmp_path / "data" / "nats")

        assert await told(stack, "degraded") < TOLD_WITHIN_S
        assert "the folder of the message broker" in (await health(stack))["checks"]["storage"]
        job.gate.touch()
        await assert_right(stack, job.job_id)

        stack.nats().kill()

        await told(stack, "healthy")
        await assert_right(stack, await stack.submit(clip, "gate"))

"""Each way in which a job can take down what runs it, with the wall off so that it succeeds: blame alone finds it.

The guilty job ends within one minute, or two where it stops what it hits; those beside it complete; others start within
ten seconds. A busy machine may take PATIENCE times as long; the printed table tells the truth.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support import Stack, eventually, make_clip, running_stack

from .test_deaths import FRAMES, STOP_AT, MidJob, assert_right_result, outcomes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(600)]

KILL_LIMIT_S, STOP_LIMIT_S, START_LIMIT_S = 60, 120, 10
PATIENCE = 3
WALL_OFF = {"FORGESYTE_RUNNER_SANDBOX_WALL": "off", "FORGESYTE_RUNNER_ALLOW_DEGRADED_SANDBOX": "true"}


@dataclass(frozen=True, slots=True)
class Row:
    """One attack, and within how many seconds the job that makes it ends."""

    name: str
    whom: str
    how: str
    limit_s: int
    traces: bool = False

    @property
    def hits_all(self) -> bool:
        """Whether it hits the cells of others too, where a job that stands still cannot show that it is innocent."""
        return self.whom == "zygotes"


ROWS = (
    Row("kills its zygote", "zygote", "SIGKILL", KILL_LIMIT_S),
    Row("kills its runner", "runner", "SIGKILL", KILL_LIMIT_S),
    Row("stops its zygote", "zygote", "SIGSTOP", STOP_LIMIT_S),
    Row("stops its runner", "runner", "SIGSTOP", STOP_LIMIT_S),
    Row("traces its runner, kills all zygotes", "zygotes", "SIGKILL", STOP_LIMIT_S, traces=True),
    Row("traces its runner, stops all zygotes", "zygotes", "SIGSTOP", STOP_LIMIT_S, traces=True),
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    env = {"FORGESYTE_LAUNCHER_DRAIN_S": "2", **WALL_OFF}
    async with running_stack(tmp_path_factory.mktemp("product") / "data", slots=3, env=env) as stack:
        yield stack


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_the_guilty_job_fails_soon_its_neighbours_complete_and_others_start(stack, clip, tmp_path, capsys, row):
    neighbours = [await slow_job(stack, clip, tmp_path, f"neighbour-{number}") for number in (1, 2)]
    for job in neighbours:
        job.forget()
        if row.hits_all:
            job.let_go()

    guilty = await stack.submit(clip, "wreck", "wrecker", whom=row.whom, how=row.how, traces=row.traces)
    begun = await eventually(lambda: started_at(stack, guilty), what="the guilty job runs")
    bystanders = [MidJob(tmp_path, f"bystander-{number}") for number in (1, 2)]
    *_, judged = await asyncio.gather(
        *(job.submit(stack, clip) for job in bystanders), stack.ended(guilty, row.limit_s * PATIENCE)
    )
    jobs = [*neighbours, *bystanders]
    for job in jobs:
        job.let_go()
    done = [await assert_right_result(stack, job.job_id) for job in jobs]

    guilty_s = (time_of(judged["completed_at"]) - begun).total_seconds()
    waits_s = [(time_of(job["started_at"]) - time_of(job["created_at"])).total_seconds() for job in done[2:]]
    with capsys.disabled():
        print(
            f"\n{row.name}: guilty {judged['error_code']} after {guilty_s:.1f} s {outcomes(judged)}; neighbours "
            f"{[outcomes(job) for job in done[:2]]}; others started after {[round(wait_s, 1) for wait_s in waits_s]} s"
        )
    assert (judged["status"], judged["error_code"]) == ("failed", "PLUGIN_CRASH"), judged
    assert guilty_s < row.limit_s * PATIENCE
    assert max(waits_s) < START_LIMIT_S * PATIENCE


async def slow_job(stack: Stack, clip: Path, folder: Path, name: str) -> MidJob:
    """A job that stands in the middle of its clip, and goes on slowly from there."""
    job = MidJob(folder, name)
    options = {"at": STOP_AT, "gate": str(job.gate), "reached": str(job.reached), "pause_ms": 300}
    job.job_id = await stack.submit(clip, "gate", **options)
    await job.wait_until_reached()
    return job


async def started_at(stack: Stack, job_id: str) -> datetime | None:
    """When the job's first attempt was claimed."""
    job = await stack.job(job_id)
    return time_of(job["started_at"]) if job["started_at"] else None


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)

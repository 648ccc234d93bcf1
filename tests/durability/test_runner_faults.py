"""A job that kills or stops its runner, with the wall off so that it can: it ends alone, and no other job is hurt.

All tests pull the plugs of one product; each leaves it at work.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support import Stack, alive, eventually, make_clip, running_stack

from .test_deaths import FRAMES, MidJob, assert_right_result, outcomes

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALL_OFF = {"FORGESYTE_RUNNER_SANDBOX_WALL": "off", "FORGESYTE_RUNNER_ALLOW_DEGRADED_SANDBOX": "true"}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    env = {"FORGESYTE_LAUNCHER_DRAIN_S": "2", **WALL_OFF}
    async with running_stack(tmp_path_factory.mktemp("product") / "data", env=env) as stack:
        yield stack


async def test_a_job_that_kills_its_runner_fails_alone_and_its_neighbour_completes(stack, clip, tmp_path):
    neighbour = await MidJob(tmp_path, "neighbour").submit(stack, clip)
    neighbour.forget()
    runner = stack.runner()
    guilty = await stack.submit(clip, "wreck", "wrecker", whom="runner")
    await eventually(lambda: not alive([runner]), what="the runner was killed")
    bystander = MidJob(tmp_path, "bystander")

    judged, _ = await asyncio.gather(stack.ended(guilty, 60), bystander.submit(stack, clip))

    assert (judged["status"], judged["error_code"]) == ("failed", "PLUGIN_CRASH"), judged
    assert set(outcomes(judged)) == {"surroundings", "lost"}
    await neighbour.wait_until_reached()
    for job in (neighbour, bystander):
        job.let_go()
        assert (await assert_right_result(stack, job.job_id))["status"] == "completed"

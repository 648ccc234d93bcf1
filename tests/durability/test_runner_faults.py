"""A job that kills or stops its runner, with the wall off so that it can: it ends alone, and no other job is hurt.

All tests pull the plugs of one product; each leaves it at work.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.support import Stack, alive, eventually, make_clip, running_stack

from .test_deaths import FRAMES, STOP_AT, MidJob, assert_right_result, outcomes

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


async def in_a_cell(stack: Stack, job: MidJob) -> psutil.Process:
    """Kill the main runner under the job, and wait until it is in the middle again; return the cell."""
    job.forget()
    stack.runner().kill()
    sandbox = psutil.Process(await job.wait_until_reached())
    (cell,) = set(sandbox.parents()) & set(stack.cells())
    return cell


@pytest.mark.long
async def test_a_job_that_stops_its_runner_fails_alone(stack, clip):
    guilty = await stack.submit(clip, "wreck", "wrecker", whom="runner", how="SIGSTOP")

    judged = await stack.ended(guilty, 120)

    assert (judged["status"], judged["error_code"]) == ("failed", "PLUGIN_CRASH"), judged


@pytest.mark.long
async def test_an_innocent_job_completes_after_two_kills_of_its_runner_at_different_frames(stack, clip, tmp_path):
    job = MidJob(tmp_path, "job")
    options = {"at": STOP_AT, "gate": str(job.gate), "reached": str(job.reached), "pause_ms": 200}
    job.job_id = await stack.submit(clip, "gate", **options)
    await job.wait_until_reached()
    cell = await in_a_cell(stack, job)
    job.let_go()
    await eventually(lambda: is_beyond(stack, job.job_id, STOP_AT + 5), what="it is beyond the first fault")

    cell.kill()

    record = await assert_right_result(stack, job.job_id)
    assert set(outcomes(record)[:-1]) <= {"surroundings", "lost"}
    assert len(record["attempts"]) == 3


async def is_beyond(stack: Stack, job_id: str, frame: int) -> bool:
    """Whether the running attempt has come further than this frame."""
    job = await stack.job(job_id)
    return job["status"] == "running" and (job["current_frame"] or 0) > frame


@pytest.mark.long
async def test_ctrl_c_drains_a_cell_as_well_and_its_job_goes_on_at_the_next_start(stack, clip, tmp_path):
    job = await MidJob(tmp_path, "job").submit(stack, clip)
    await in_a_cell(stack, job)
    tree = stack.tree()

    code = await stack.interrupt()

    assert code == 0, stack.log.read_text()
    assert not alive(tree)
    job.let_go()
    await stack.start()
    assert outcomes(await assert_right_result(stack, job.job_id)) == ["surroundings", "released", "succeeded"]


@pytest.mark.long
async def test_kill_9_of_the_launcher_leaves_no_cell(stack, clip, tmp_path):
    job = await MidJob(tmp_path, "job").submit(stack, clip)
    cell = await in_a_cell(stack, job)

    tree = stack.kill()

    assert cell in tree
    await eventually(lambda: not alive(tree), what=f"nothing of it is alive: {tree}")
    job.let_go()
    await stack.start()
    await assert_right_result(stack, job.job_id)

"""Pull every plug in mid-job: each job ends once, with the right rows, and its attempts tell the story.

All tests pull the plugs of one product, whose every part comes back: the next test shows that it did.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.support import Stack, alive, brightness_of, eventually, make_clip, meeting_point, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = 60
STOP_AT = 30


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    env = {"FORGESYTE_LAUNCHER_DRAIN_S": "2"}
    async with running_stack(tmp_path_factory.mktemp("product") / "data", env=env) as stack:
        yield stack


class MidJob:
    """A job that waits in the middle of its video until the test lets it go on."""

    def __init__(self, folder: Path, name: str) -> None:
        self.gate = meeting_point(f"{name}-gate")
        self.reached = meeting_point(f"{name}-reached")
        self.job_id = ""

    async def submit(self, stack: Stack, clip: Path) -> "MidJob":
        self.job_id = await stack.submit(clip, "gate", at=STOP_AT, gate=str(self.gate), reached=str(self.reached))
        await self.wait_until_reached()
        return self

    async def wait_until_reached(self) -> int:
        """Wait until the plugin has reached the middle; return the sandbox's pid."""
        return int(await eventually(lambda: self.reached.exists() and self.reached.read_text(), 120, "mid-job"))

    def forget(self) -> None:
        self.reached.unlink(missing_ok=True)

    def let_go(self) -> None:
        self.gate.touch()


async def assert_right_result(stack: Stack, job_id: str) -> dict:
    """The job is completed and every frame has one row with the brightness drawn into it."""
    job = await stack.ended(job_id)
    assert job["status"] == "completed", job
    assert (job["total_frames"], job["progress"]) == (FRAMES, 100)
    rows = await stack.rows(job_id)
    assert [row["frame_index"] for row in rows] == list(range(FRAMES))
    wrong = [row for row in rows if abs(row["detections"]["brightness"] - brightness_of(row["frame_index"])) > 4]
    assert wrong == []
    return job


def outcomes(job: dict) -> list[str]:
    return [attempt["outcome"] for attempt in job["attempts"]]


async def two_jobs_in_the_middle(stack: Stack, clip: Path, folder: Path) -> tuple[MidJob, MidJob]:
    first = await MidJob(folder, "first").submit(stack, clip)
    second = await MidJob(folder, "second").submit(stack, clip)
    return first, second


async def test_kill_9_of_the_launcher_leaves_nothing_and_the_job_ends_after_the_next_start(stack, clip, tmp_path):
    job = await MidJob(tmp_path, "job").submit(stack, clip)

    tree = stack.kill()

    assert len(tree) >= 5, "launcher, nats-server, runner, zygote and sandbox were alive"
    await eventually(lambda: not alive(tree), what=f"nothing of it is alive: {tree}")
    job.let_go()
    await stack.start()
    record = await assert_right_result(stack, job.job_id)
    assert outcomes(record) == ["surroundings", "succeeded"]
    jobs = (await stack.http.get("/v1/jobs")).json()
    assert [entry["job_id"] for entry in jobs["jobs"]] == [job.job_id]


async def test_kill_9_of_the_runner_with_two_slots_busy(stack, clip, tmp_path):
    first, second = await two_jobs_in_the_middle(stack, clip, tmp_path)
    runner, nats = stack.runner(), stack.nats()
    sandboxes = runner.children(recursive=True)

    runner.kill()

    await eventually(lambda: not alive(sandboxes), what="its zygote and sandboxes died with it")
    first.let_go()
    second.let_go()
    for job in (first, second):
        assert outcomes(await assert_right_result(stack, job.job_id)) == ["surroundings", "succeeded"]
    assert alive([nats]), "the healthy neighbour was not restarted"


async def test_a_stopped_runner_is_replaced_and_both_its_jobs_complete(stack, clip, tmp_path):
    first, second = await two_jobs_in_the_middle(stack, clip, tmp_path)
    runner = stack.runner()
    sandboxes = runner.children(recursive=True)

    runner.send_signal(signal.SIGSTOP)

    await eventually(lambda: not alive([runner, *sandboxes]), 10, "the stopped runner was killed")
    first.let_go()
    second.let_go()
    for job in (first, second):
        assert outcomes(await assert_right_result(stack, job.job_id)) == ["surroundings", "succeeded"]


async def test_a_zygote_that_was_stopped_before_its_runner_died_is_ended_with_its_sandboxes(stack, clip, tmp_path):
    first, second = await two_jobs_in_the_middle(stack, clip, tmp_path)
    runner = stack.runner()
    sandboxes = runner.children(recursive=True)
    (zygote,) = [child for child in runner.children() if "zygote" in " ".join(child.cmdline())]

    zygote.send_signal(signal.SIGSTOP)
    runner.kill()

    await eventually(lambda: not alive([runner, *sandboxes]), what="nothing of the dead runner is left")
    first.let_go()
    second.let_go()
    for job in (first, second):
        await assert_right_result(stack, job.job_id)


async def test_kill_9_of_one_sandbox_leaves_its_neighbour_alone(stack, clip, tmp_path):
    first, second = await two_jobs_in_the_middle(stack, clip, tmp_path)
    runner = stack.runner()
    neighbour = psutil.Process(await second.wait_until_reached())
    victim = psutil.Process(await first.wait_until_reached())

    victim.kill()

    first.let_go()
    assert outcomes(await assert_right_result(stack, first.job_id)) == ["crashed", "succeeded"]
    assert alive([neighbour, runner]) == [neighbour, runner]
    second.let_go()
    assert outcomes(await assert_right_result(stack, second.job_id)) == ["succeeded"]


async def test_kill_9_of_nats_server_with_two_slots_busy(stack, clip, tmp_path):
    first, second = await two_jobs_in_the_middle(stack, clip, tmp_path)
    runner, nats = stack.runner(), stack.nats()

    nats.kill()

    await eventually(lambda: not alive([nats]) and stack.find("nats-server"), 90, "nats-server was started again")
    first.let_go()
    second.let_go()
    for job in (first, second):
        assert outcomes(await assert_right_result(stack, job.job_id)) == ["succeeded"]
    assert alive([runner]), "the healthy neighbour was not restarted"


async def test_ctrl_c_during_a_job_exits_0_and_the_job_goes_on_at_the_next_start(stack, clip, tmp_path):
    job = await MidJob(tmp_path, "job").submit(stack, clip)
    tree = stack.tree()

    code = await stack.interrupt()

    assert code == 0, stack.log.read_text()
    assert not alive(tree)
    job.let_go()
    await stack.start()
    record = await assert_right_result(stack, job.job_id)
    assert outcomes(record) == ["released", "succeeded"]


async def test_cancel_of_a_hung_plugin_kills_it(stack, clip, tmp_path):
    reached = meeting_point("reached")
    job_id = await stack.submit(clip, "hang", at=3, reached=str(reached))
    pid = int(await eventually(lambda: reached.exists() and reached.read_text(), 120))
    sandbox = psutil.Process(pid)

    answer = await stack.http.post(f"/v1/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    await eventually(lambda: not alive([sandbox]), what="the hung sandbox is dead")
    assert (await stack.http.post(f"/v1/jobs/{job_id}/cancel")).status_code == 409
    assert (await stack.job(job_id))["error_code"] == "CANCELLED"


async def test_a_job_goes_on_while_its_clients_come_and_go(stack, clip, tmp_path):
    job = await MidJob(tmp_path, "job").submit(stack, clip)

    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(stack.job(job.job_id)) for _ in range(20)]

    assert {answer.result()["status"] for answer in answers} == {"running"}
    job.let_go()
    await assert_right_result(stack, job.job_id)


async def test_behind_the_wall_a_job_can_kill_stop_or_trace_nothing_that_runs_it(stack, clip):
    runner, nats = stack.runner(), stack.nats()
    (zygote,) = [child for child in runner.children() if "zygote" in " ".join(child.cmdline())]
    pids = {"runner": [runner.pid], "zygotes": [zygote.pid], "nats-server": [nats.pid]}
    attacks = [(whom, how) for whom in ("zygote", "runner", "nats-server") for how in ("SIGKILL", "SIGSTOP")]
    jobs = [await stack.submit(clip, "wreck", "wrecker", whom=whom, how=how, pids=pids) for whom, how in attacks]
    jobs.append(await stack.submit(clip, "wreck", "wrecker", whom="zygotes", traces=True, pids=pids))

    ended = [await stack.ended(job_id) for job_id in jobs]

    assert [(job["status"], outcomes(job)) for job in ended] == [("completed", ["succeeded"])] * len(jobs)
    refused = [[row["detections"]["refused"] for row in await stack.rows(job_id)][5] for job_id in jobs]
    assert refused == [["EPERM"]] * len(attacks) + [["EPERM", "EPERM"]]
    assert alive([runner, zygote, nats]) == [runner, zygote, nats]

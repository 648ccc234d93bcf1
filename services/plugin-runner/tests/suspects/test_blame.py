"""Real zygotes and runners that die or stop under jobs: the guilty job ends, and every other one completes."""

import asyncio
from datetime import UTC, datetime

import pytest

from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import JobStatus
from tests.support import eventually

from ..test_jobs import assert_right, outcomes

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLUGINS = "probe,wrecker"
NO_WALL = {"sandbox_wall": "off", "allow_degraded_sandbox": True}
"""Behind the wall the wrecker reaches neither its zygote nor its runner; here blame alone is shown."""


@pytest.fixture
def box(shared_box):
    """One box for all tests of this file."""
    return shared_box


async def faults_of(box, job_id):
    return [attempt for attempt in (await box.record(job_id)).attempts if attempt.outcome is not None]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGKILL", pytest.param("SIGSTOP", marks=pytest.mark.long)])
async def test_a_job_that_kills_or_stops_its_zygote_ends_and_its_neighbours_complete(box, clip, gate, how):
    runner = box.start_runner(slots=3, plugins=PLUGINS, **NO_WALL)
    neighbour = await box.submit(clip, "gate", **gate.options)
    await gate.reached()

    guilty = await box.submit(clip, "wreck", "wrecker", at=5, how=how)
    await eventually(lambda: faults_of(box, guilty), 60, "it has wrecked the zygote")
    gate.open()
    late = await box.submit(clip, "gate")
    failed, *others = await asyncio.gather(box.ended(guilty), box.ended(neighbour), box.ended(late))

    assert (failed.status, failed.error_code) == (JobStatus.FAILED, "PLUGIN_CRASH"), failed
    assert failed.error_message.startswith("At frame 5, the process that runs its sandbox (the zygote) was ")
    assert outcomes(failed) == ["surroundings", "lost", "lost"]
    assert [attempt.alone for attempt in failed.attempts] == [False, True, True]
    for record in others:
        await assert_right(box, record)
        assert set(outcomes(record)) <= {"surroundings", "succeeded"}
        assert not record.is_suspect
    assert runner.process.poll() is None


@pytest.mark.long
async def test_a_job_that_kills_before_its_first_row_ends_once_the_machine_is_known_to_be_calm(box, clip):
    box.start_runner(slots=3, plugins=PLUGINS, **NO_WALL)

    failed = await box.ended(await box.submit(clip, "wreck", "wrecker", at=0))

    assert failed.error_message.startswith("Before the first row, the process that runs its sandbox (the zygote) was ")
    assert outcomes(failed) == ["surroundings", "lost", "lost"]
    assert [attempt.has_control for attempt in failed.attempts] == [False, False, True]


@pytest.mark.long
async def test_two_kills_of_the_runner_under_a_healthy_job_at_different_places_end_nothing(box, clip, gate):
    runner = box.start_runner(plugins=PLUGINS, **NO_WALL)
    job_id = await box.submit(clip, "gate", **gate.options)
    await gate.reached()
    gate.reached_file.unlink()
    await seen_to_die(box, runner, job_id)

    runner = box.start_another(plugins=PLUGINS)
    await eventually(lambda: runs(box, job_id), 60, "it runs again")
    await seen_to_die(box, runner, job_id)
    gate.open()
    box.start_another(plugins=PLUGINS)
    record = await box.ended(job_id)

    await assert_right(box, record)
    assert outcomes(record) == ["surroundings", "lost", "succeeded"]
    assert record.attempts[1].alone
    assert not record.is_suspect


async def runs(box, job_id):
    return (await box.record(job_id)).owner is not None


async def seen_to_die(box, runner, job_id):
    """Kill a runner, and do what its supervisor does: write down what it saw, and queue the job again."""
    owner = (await box.record(job_id)).owner
    runner.kill()
    here, now = circumstances_here(), datetime.now(UTC)
    await box.bus.jobs.change(job_id, lambda known: moves.orphaned(known, owner, "its runner was killed", now, here))
    await box.bus.work.purge(job_id, "probe", "cpu")
    await box.bus.work.publish(job_id, "probe", "cpu")


@pytest.mark.long
async def test_a_cell_takes_the_suspects_and_a_runner_beside_it_everything_else(box, clip, gate):
    main = box.start_runner(slots=2, plugins=PLUGINS, suspects="never", **NO_WALL)
    cell = box.start_another(slots=1, plugins=PLUGINS, suspects="only", **NO_WALL)
    guilty = await box.submit(clip, "wreck", "wrecker", at=5)

    failed = await box.ended(guilty)
    other = await box.ended(await box.submit(clip, "gate"))

    assert failed.error_code == "PLUGIN_CRASH"
    assert [attempt.alone for attempt in failed.attempts] == [False, True, True]
    first, *rest = [attempt.runner_id for attempt in failed.attempts]
    assert set(rest) != {first}
    assert len(set(rest)) == 1
    await assert_right(box, other)
    assert other.attempts[0].runner_id == first
    assert main.process.poll() is None
    cell.kill()

"""On a real bus: the records and messages that a dead runner leaves."""

import asyncio
from datetime import UTC, datetime

import pytest

from forgesyte_chassis.bus import Bus, following_open_jobs
from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus
from forgesyte_contracts.problems import Code
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_launcher.stack.runners import hand_on as hand_on_module
from forgesyte_launcher.stack.runners.hand_on import HandOn
from forgesyte_launcher.stack.supervisor import Death
from tests.support import eventually, nats_server

PLUGIN, DEVICE = "motion-detector", "cpu"
KILLED = Death("plugin-runner", "dead", -9)
STALLED = Death("plugin-runner", "dead", -9, "it is stopped")


@pytest.fixture
async def bus(monkeypatch):
    monkeypatch.setattr(hand_on_module, "SHARED_S", 0.05)
    async with nats_server() as server, Bus.connect(server.url, name="test") as bus:
        await bus.ensure()
        yield bus


async def a_running_job(bus: Bus, owner: str = "dead", *, alone: bool = False, **facts: object) -> JobId:
    """A job in the hands of a runner: claimed, its message in flight."""
    job_id, now = new_job_id(), datetime.now(UTC)
    record = JobRecord(job_id=job_id, plugin_id=PLUGIN, tools=("t",), created_at=now, updated_at=now, **facts)
    await bus.jobs.create(record)
    await bus.work.publish(job_id, PLUGIN, DEVICE)
    assert await eventually(lambda: bus.work.pull(PLUGIN, DEVICE), what="the delivery")
    claimer = circumstances_here(alone=alone)
    await bus.jobs.change(job_id, lambda record: moves.claimed(record, owner, now, claimer))
    return job_id


async def hand_on(bus: Bus, death: Death = KILLED) -> None:
    async with following_open_jobs(bus.jobs) as jobs:
        await jobs.changed.wait()
        await HandOn(bus, jobs, SystemClock()).after(death)


async def record_of(bus: Bus, job_id: JobId) -> JobRecord:
    stored = await bus.jobs.get(job_id)
    assert stored
    return stored.record


async def queued(bus: Bus) -> list[JobId]:
    """The jobs whose message any runner gets now."""
    found = []
    while (delivery := await bus.work.pull(PLUGIN, DEVICE)) is not None:
        found.append(delivery.job_id)
    return sorted(found)


async def test_jobs_of_a_dead_runner_are_suspects_and_queued_at_once(bus):
    jobs = sorted([await a_running_job(bus), await a_running_job(bus)])
    beat = RunnerHeartbeat(runner_id="dead", host="h", pid=1, version="0", started_at="x", slots=2)
    await bus.runners.beat(beat)

    await hand_on(bus)

    for job_id in jobs:
        record = await record_of(bus, job_id)
        assert (record.owner, record.suspicion) == (None, 1)
        assert record.attempts[-1].outcome is AttemptOutcome.SURROUNDINGS
    assert await queued(bus) == jobs
    assert not await bus.runners.alive("dead")


async def test_a_job_that_met_the_same_fault_alone_before_fails_and_a_runner_hears_of_it(bus):
    job_id = await a_running_job(bus, alone=True, alone_faults=(5,))
    await bus.jobs.change(
        job_id, lambda record: moves.progressed(record, datetime.now(UTC), end_frame=5, current_frame=5)
    )

    await hand_on(bus, STALLED)

    record = await record_of(bus, job_id)
    assert (record.status, record.error_code) == (JobStatus.FAILED, Code.PLUGIN_CRASH)
    assert record.error_message.startswith("At frame 5, its runner stood still while only this job ran there")
    assert await queued(bus) == [job_id]


async def test_a_hand_on_that_fails_leaves_the_job_to_the_queue_and_ends_nothing_else(bus):
    class Broken:
        def now(self):
            raise RuntimeError("a bug")

    job_id = await a_running_job(bus)
    before = await record_of(bus, job_id)

    async with following_open_jobs(bus.jobs) as jobs:
        await jobs.changed.wait()
        await HandOn(bus, jobs, Broken()).after(KILLED)

    assert await record_of(bus, job_id) == before


async def test_a_job_that_another_runner_has_claimed_already_is_left_alone(bus):
    job_id = await a_running_job(bus, "living")
    before = await record_of(bus, job_id)

    await hand_on(bus)

    assert await record_of(bus, job_id) == before
    assert await queued(bus) == []


async def test_a_claim_that_is_faster_than_the_hand_on_wins(bus):
    """The view still says that the dead runner owns the job."""
    job_id = await a_running_job(bus)
    stale = await record_of(bus, job_id)
    now = datetime.now(UTC)
    await bus.jobs.change(job_id, lambda record: moves.claimed(record, "living", now, circumstances_here()))

    async with following_open_jobs(bus.jobs) as jobs:
        await jobs.changed.wait()
        jobs.take(job_id, stale)
        await HandOn(bus, jobs, SystemClock()).after(KILLED)

    assert (await record_of(bus, job_id)).owner == "living"
    assert await queued(bus) == []


async def test_handing_on_twice_is_handing_on_once(bus):
    job_id = await a_running_job(bus)

    await hand_on(bus)
    await hand_on(bus)

    record = await record_of(bus, job_id)
    assert (record.suspicion, len(record.attempts)) == (1, 1)
    assert await queued(bus) == [job_id]


async def test_the_end_of_a_runner_that_owes_nothing_changes_nothing(bus):
    job_id = await a_running_job(bus)
    before = await record_of(bus, job_id)

    await hand_on(bus, Death("plugin-runner", None, 0))

    assert await record_of(bus, job_id) == before


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        pytest.param("plugin-runner", AttemptOutcome.SURROUNDINGS, id="another runner"),
        pytest.param("plugin-runner-cell-1", AttemptOutcome.LOST, id="an earlier life of this one"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
async def test_a_death_that_hits_another_runner_as_well_is_not_held_against_a_job_alone(bus, other, outcome, is_first):
    job_id = await a_running_job(bus, "cell", alone=True, suspicion=1)
    deaths = [Death("plugin-runner-cell-1", "cell", -9), Death(other, None, -9)]
    async with following_open_jobs(bus.jobs) as jobs, asyncio.TaskGroup() as group:
        await jobs.changed.wait()
        after = HandOn(bus, jobs, SystemClock())
        for death in reversed(deaths) if is_first else deaths:
            group.create_task(after.after(death))

    record = await record_of(bus, job_id)
    assert record.attempts[-1].outcome is outcome
    assert record.alone_faults == ((-1,) if outcome is AttemptOutcome.LOST else ())
    assert await queued(bus) == [job_id]


async def test_jobs_beside_each_other_are_handed_on_without_waiting_for_other_deaths(bus, monkeypatch):
    monkeypatch.setattr(hand_on_module, "SHARED_S", 3600.0)
    beside, alone = await a_running_job(bus), await a_running_job(bus, alone=True, suspicion=1)
    async with following_open_jobs(bus.jobs) as jobs, asyncio.TaskGroup() as group:
        await jobs.changed.wait()
        task = group.create_task(HandOn(bus, jobs, SystemClock()).after(KILLED))

        await eventually(lambda: is_free(bus, beside), what="it is handed on")

        assert not await is_free(bus, alone)
        task.cancel()


async def is_free(bus: Bus, job_id: JobId) -> bool:
    return (await record_of(bus, job_id)).owner is None

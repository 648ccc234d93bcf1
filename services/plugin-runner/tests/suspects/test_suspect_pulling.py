"""A cell's way to its jobs, on a real bus."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from forgesyte_chassis.bus import Bus, Delivery
from forgesyte_contracts.blame import TURN_S
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_plugin_runner.slots import Slots
from forgesyte_plugin_runner.suspects import suspect_pulling
from forgesyte_plugin_runner.suspects.suspect_pulling import SuspectPuller
from tests.support import eventually, nats_server

PLUGIN, DEVICE = "a", "cpu"


@pytest.fixture
async def bus():
    async with nats_server() as server, Bus.connect(server.url, name="test") as bus:
        await bus.ensure()
        yield bus


class PlayedCell:
    """A cell with one slot whose jobs run until the test lets them end."""

    def __init__(self, bus: Bus) -> None:
        self.slots = Slots(1)
        self.puller = SuspectPuller(bus, self.slots, self.handle)
        self.puller.offer(PLUGIN, DEVICE)
        self.taken: list[Delivery] = []
        self.may_end = asyncio.Event()

    async def handle(self, delivery: Delivery) -> None:
        self.taken.append(delivery)
        await self.may_end.wait()
        self.slots.free(delivery.device)

    @asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.puller.run())
            yield task
            self.puller.stop()
            self.may_end.set()

    async def takes(self, *jobs: JobId) -> None:
        await eventually(lambda: [delivery.job_id for delivery in self.taken] == list(jobs), what=f"takes {jobs}")


async def a_job(bus: Bus, plugin: str = PLUGIN, **facts: object) -> JobId:
    job_id, now = new_job_id(), datetime.now(UTC)
    facts = {"suspicion": 1, "created_at": now, **facts}
    record = JobRecord(job_id=job_id, plugin_id=plugin, tools=("t",), updated_at=now, **facts)
    await bus.jobs.create(record)
    await bus.work.publish(job_id, plugin, DEVICE)
    return job_id


async def test_a_cell_takes_suspects_of_its_plugin_one_at_a_time_and_the_oldest_first(bus):
    await a_job(bus, suspicion=0)
    await a_job(bus, "b")
    first, second = await a_job(bus), await a_job(bus)
    cell = PlayedCell(bus)
    async with cell.running():
        await cell.takes(first)
        await bus.jobs.purge(first)

        cell.may_end.set()

        await cell.takes(first, second)


async def test_a_suspect_whose_claim_was_refused_is_tried_again(bus, monkeypatch):
    monkeypatch.setattr(suspect_pulling, "AGAIN_S", 0.01)
    job_id = await a_job(bus)
    cell = PlayedCell(bus)
    cell.may_end.set()

    async with cell.running():
        await eventually(lambda: len(cell.taken) > 1, what="the second try")

    assert {delivery.job_id for delivery in cell.taken} == {job_id}


async def test_a_suspect_that_met_a_fault_alone_waits_for_another_that_runs(bus):
    """What one does to all runners of the machine would count against the other as well."""
    running = await a_job(bus, alone_faults=(5,), owner="another cell", status="running", attempt=1)
    waiting, free = await a_job(bus, alone_faults=(7,)), await a_job(bus)
    cell = PlayedCell(bus)
    async with cell.running():
        await cell.takes(free)
        await bus.jobs.purge(free)
        await bus.jobs.purge(running)

        cell.may_end.set()

        await cell.takes(free, waiting)


async def test_a_suspect_that_nothing_takes_does_not_keep_the_turn(bus):
    """The one that comes first is of a plugin that has failed."""
    await a_job(bus, "failed", alone_faults=(5,), created_at=datetime.now(UTC) - timedelta(seconds=TURN_S))
    healthy = await a_job(bus, alone_faults=(7,), created_at=datetime.now(UTC) - timedelta(seconds=5))
    cell = PlayedCell(bus)
    async with cell.running():
        await cell.takes(healthy)


async def test_a_cell_that_stops_waits_for_its_job(bus):
    job_id = await a_job(bus)
    cell = PlayedCell(bus)
    async with cell.running() as task:
        await cell.takes(job_id)

        cell.puller.stop()
        await asyncio.wait((task,), timeout=0.5)

        assert not task.done()


async def test_the_message_stays_in_the_queue_until_the_job_has_ended(bus):
    job_id = await a_job(bus)
    delivery = bus.work.unpulled(job_id, PLUGIN, DEVICE)

    await delivery.in_progress()
    await delivery.nak()
    delivery.nak_later(3)
    assert await bus.work.has(job_id, PLUGIN, DEVICE)
    await delivery.ack()

    assert not await bus.work.has(job_id, PLUGIN, DEVICE)


async def test_a_cell_that_lost_its_job_removes_no_message(bus):
    job_id = await a_job(bus)
    delivery = bus.work.unpulled(job_id, PLUGIN, DEVICE)

    delivery.fence()
    await delivery.ack()

    assert await bus.work.has(job_id, PLUGIN, DEVICE)

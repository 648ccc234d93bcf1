"""Which cells run, with cells that are played: no process."""

import asyncio
import errno
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import OpenJobs
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_launcher.stack.runners import cells as cells_module
from forgesyte_launcher.stack.runners.cells import CellRules, Cells
from tests.support import eventually

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class PlayedCell:
    working_as: str


@dataclass
class Machine:
    """The jobs, and the cells that were started for them: number and plugin."""

    jobs: OpenJobs = field(default_factory=OpenJobs)
    running: dict[int, str] = field(default_factory=dict)
    has_main: bool = True
    started: list[tuple[int, str]] = field(default_factory=list)

    def may_start(self) -> bool:
        return self.has_main

    @asynccontextmanager
    async def start(self, number: int, plugin: str):
        assert number not in self.running
        self.running[number] = plugin
        self.started.append((number, plugin))
        try:
            yield PlayedCell(f"cell-{number}")
        finally:
            del self.running[number]

    def job(self, name: str, plugin: str = "a", *, age_s: int = 0, **facts: object) -> JobRecord:
        """A suspect; later calls replace it."""
        made = datetime.now(UTC) - timedelta(seconds=age_s)
        facts = {"suspicion": 1, **facts}
        record = JobRecord(job_id=name, plugin_id=plugin, tools=("t",), created_at=made, updated_at=made, **facts)
        self.jobs.take(JobId(name), record)
        return record

    def claim(self, record: JobRecord, owner: str) -> None:
        self.jobs.take(JobId(record.job_id), moves.claimed(record, owner, START))

    @asynccontextmanager
    async def cells(self, most: int, *plugins: str):
        async with asyncio.TaskGroup() as group:
            rules = CellRules(most, plugins, may_start=self.may_start)
            cells = Cells(self.jobs, self.start, rules, group)
            async with beside(cells.run()):
                yield cells
            await cells.stop()

    async def runs(self, *plugins: str) -> None:
        """Wait until exactly these cells run."""
        await eventually(lambda: sorted(self.running.values()) == sorted(plugins), what=f"cells {plugins}")


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(cells_module, "IDLE_S", 0.0)
    monkeypatch.setattr(cells_module, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(cells_module, "_AGAIN_S", 0.01)


async def test_a_cell_that_cannot_be_started_is_tried_again(machine, impatient):
    """As on a machine without a descriptor to spare: the main runner and HTTP live in the same process."""
    start, tries = machine.start, []

    def fail_once(number: int, plugin: str):
        tries.append(number)
        if len(tries) == 1:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return start(number, plugin)

    machine.start = fail_once
    machine.job("suspect", "a")

    async with machine.cells(1):
        await machine.runs("a")

    assert tries == [1, 1]


async def test_a_round_that_fails_does_not_end_the_later_ones(machine, impatient):
    rounds = []

    def fail_first() -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise ValueError("a bug")
        return True

    machine.may_start = fail_first
    machine.job("suspect", "a")

    async with machine.cells(1):
        await machine.runs("a")


async def test_a_suspect_gets_a_cell_for_its_plugin_and_an_ordinary_job_none(machine):
    machine.job("innocent", "b", suspicion=0)
    machine.job("suspect", "a")

    async with machine.cells(2):
        await machine.runs("a")

    assert machine.started == [(1, "a")]
    assert machine.running == {}


async def test_a_suspect_of_a_plugin_that_this_machine_does_not_offer_gets_none(machine):
    machine.job("elsewhere", "b", age_s=9)
    machine.job("here", "a")

    async with machine.cells(1, "a"):
        await machine.runs("a")


async def test_a_job_that_met_a_fault_alone_is_a_suspect_too(machine):
    machine.job("suspect", suspicion=0, alone_faults=(3,))

    async with machine.cells(2):
        await machine.runs("a")


async def test_there_are_at_most_as_many_cells_as_places_and_the_oldest_suspects_come_first(machine):
    machine.job("youngest", "c", age_s=1)
    machine.job("oldest", "a", age_s=9)
    machine.job("older", "b", age_s=5)

    async with machine.cells(2) as cells:
        await machine.runs("a", "b")
        assert cells.count == 2


async def test_the_main_runners_next_life_comes_before_a_cell(machine, impatient):
    machine.has_main = False
    machine.job("suspect")
    async with machine.cells(2):
        for _ in range(20):
            await asyncio.sleep(0)
        assert machine.running == {}

        machine.has_main = True

        await machine.runs("a")


async def test_a_cell_whose_suspect_is_done_ends_after_a_while(machine, impatient):
    machine.job("suspect")
    async with machine.cells(2):
        await machine.runs("a")

        machine.jobs.take(JobId("suspect"), None)

        await machine.runs()


async def test_a_cell_is_kept_for_the_next_suspect_of_its_plugin(machine):
    machine.job("suspect")
    async with machine.cells(2):
        await machine.runs("a")
        machine.jobs.take(JobId("suspect"), None)
        machine.job("next")
        machine.job("other", "b")
        await machine.runs("a", "b")

    assert machine.started == [(1, "a"), (2, "b")]


async def test_an_idle_cell_gives_its_place_to_a_suspect_of_another_plugin_at_once(machine):
    machine.job("suspect", "a")
    async with machine.cells(1):
        await machine.runs("a")
        machine.jobs.take(JobId("suspect"), None)

        machine.job("other", "b")

        await machine.runs("b")


async def test_a_cell_at_work_is_never_ended_for_an_older_suspect(machine, impatient):
    record = machine.job("at-work", "a", age_s=1)
    async with machine.cells(1):
        await machine.runs("a")
        machine.claim(record, "cell-1")

        machine.job("older", "b", age_s=9)
        machine.job("cleared", "b", suspicion=0)

        for _ in range(20):
            await asyncio.sleep(0)
        assert machine.running == {1: "a"}

    assert machine.started == [(1, "a")]


async def test_one_whose_plugin_takes_nothing_does_not_keep_the_others_from_a_cell(machine):
    machine.job("of a failed plugin", alone_faults=(5,), age_s=600)
    machine.job("healthy", "b", alone_faults=(7,))
    async with machine.cells(3):
        await machine.runs("a", "b")


async def test_suspects_that_met_a_fault_alone_get_one_cell_after_the_other(machine):
    machine.job("first", alone_faults=(5,), age_s=2)
    machine.job("second", alone_faults=(7,), age_s=1)
    async with machine.cells(3):
        machine.job("another", "b")
        await machine.runs("a", "b")

    assert [plugin for _, plugin in machine.started] == ["a", "b"]

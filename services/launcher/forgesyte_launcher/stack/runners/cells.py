"""Cells: runners of one slot in which suspects run alone, started when there are suspects and stopped when there are
none. So a job that kills its runner kills a cell, and the main runner and its jobs never wait for it.

A cell offers one plugin, because loading the others would only delay its job. Rejected: keeping cells ready (the memory
of a whole runner for something that hardly ever happens); suspects in the main runner (every other job would wait until
it is empty).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import structlog

from forgesyte_chassis.bus import OpenJobs
from forgesyte_chassis.clock import SYSTEM_CLOCK
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.blame import side_by_side
from forgesyte_contracts.jobs import JobRecord
from forgesyte_launcher.stack.supervisor import Supervised

log = structlog.get_logger(__name__)

IDLE_S = 30.0
"""How long a cell without a suspect is kept: the next one then need not wait for a start."""

_LOOK_EVERY_S = 0.5
_AGAIN_S = 2.0
"""How long a cell that could not be started keeps its place."""

CellStart = Callable[[int, str], AbstractAsyncContextManager[Supervised]]
"""Runs the cell of a number for a plugin while its block runs."""


@dataclass(eq=False, slots=True)
class Cell:
    """One cell; `idle_since_s` is None while a suspect needs it."""

    number: int
    plugin: str
    child: Supervised | None = None
    idle_since_s: float | None = None
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def runner_id(self) -> str | None:
        """The id under which it works; None while it starts."""
        return self.child.working_as if self.child else None


@dataclass(frozen=True, slots=True)
class CellRules:
    """Which cells there may be.

    Attributes:
        most: how many may run at once.
        plugins: whose suspects get a cell; empty: those of every plugin.
        may_start: whether a cell may start now. What killed the main runner makes suspects; the main runner's next
            life, for which every other job waits, comes before their cells.
    """

    most: int
    plugins: tuple[str, ...] = ()
    may_start: Callable[[], bool] = lambda: True


class Cells:
    """The cells of this machine.

    Args:
        jobs: the jobs that have not ended; this is the reader of its `changed`.
        start: starts a cell.
        rules: which cells there may be.
        group: runs the cells.
    """

    def __init__(self, jobs: OpenJobs, start: CellStart, rules: CellRules, group: asyncio.TaskGroup) -> None:
        self._jobs = jobs
        self._start = start
        self._rules = rules
        self._group = group
        self._cells: dict[asyncio.Task[None], Cell] = {}
        self._is_stopping = False

    @property
    def count(self) -> int:
        """How many cells run, those that are ending included."""
        return len(self._cells)

    async def run(self) -> None:
        """Start and stop cells as suspects come and go, until cancelled."""
        while True:
            self._jobs.changed.clear()
            try:
                self._balance()
            except Exception:  # a border like a message handler's: HTTP and every other job live in this process
                log.exception("cells not balanced")
            await is_set_within(self._jobs.changed, _LOOK_EVERY_S)

    async def stop(self) -> None:
        """Stop all cells at once, and wait until the last one has drained."""
        self._is_stopping = True
        for cell in self._cells.values():
            cell.ending.set()
        if self._cells:
            await asyncio.wait(tuple(self._cells))

    def _balance(self) -> None:
        if self._is_stopping:
            return
        busy = self._busy()
        missing = self._assign(busy)
        self._end_idle(busy, is_place_wanted=missing.total() > self._rules.most - len(self._cells))
        for plugin in missing.elements():
            if len(self._cells) < self._rules.most and self._rules.may_start():
                self._add(plugin)

    def _busy(self) -> set[Cell]:
        return {cell for cell in self._cells.values() if cell.runner_id and self._jobs.owned_by(cell.runner_id)}

    def _assign(self, busy: set[Cell]) -> Counter[str]:
        """Note which cells are needed; return for which plugins how many are missing."""
        missing = Counter(record.plugin_id for record in self._due())
        now_s = asyncio.get_running_loop().time()
        living = [cell for cell in self._cells.values() if not cell.ending.is_set()]
        for cell in sorted(living, key=lambda cell: cell not in busy):
            if missing[cell.plugin] > 0:
                missing[cell.plugin] -= 1
                cell.idle_since_s = None
            elif cell not in busy and cell.idle_since_s is None:
                cell.idle_since_s = now_s
        return missing

    def _due(self) -> list[JobRecord]:
        """Return the suspects that have or get a cell now: those in one, then the oldest."""
        ours = {cell.runner_id for cell in self._cells.values()} - {None}
        plugins = self._rules.plugins
        suspects = [record for record in self._jobs.suspects() if not plugins or record.plugin_id in plugins]
        # One that is spared again and again waits long for its next attempt; it keeps no other from a cell meanwhile.
        due = sorted(
            side_by_side(suspects, SYSTEM_CLOCK.now()), key=lambda each: (each.owner not in ours, each.spared_alone)
        )
        return due[: self._rules.most]

    def _end_idle(self, busy: set[Cell], *, is_place_wanted: bool) -> None:
        now_s = asyncio.get_running_loop().time()
        for cell in self._cells.values():
            idle_since_s = cell.idle_since_s
            if idle_since_s is None or cell in busy or cell.ending.is_set():
                continue
            if is_place_wanted or now_s - idle_since_s >= IDLE_S:
                log.info("cell not needed any more", cell=cell.number, plugin=cell.plugin)
                cell.ending.set()

    def _add(self, plugin: str) -> None:
        taken = {cell.number for cell in self._cells.values()}
        number = next(number for number in range(1, self._rules.most + 1) if number not in taken)
        cell = Cell(number, plugin)
        log.info("cell started for a suspect", cell=number, plugin=plugin)
        task = self._group.create_task(self._live(cell), name=f"cell {number}")
        self._cells[task] = cell
        task.add_done_callback(self._cells.pop)

    async def _live(self, cell: Cell) -> None:
        try:
            async with self._start(cell.number, cell.plugin) as child:
                cell.child = child
                await cell.ending.wait()
        except OSError as fault:  # no descriptor, no space for its log: it is missing again, and tried again
            log.warning("cell not started", cell=cell.number, plugin=cell.plugin, reason=str(fault))
            await is_set_within(cell.ending, _AGAIN_S)

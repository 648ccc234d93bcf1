"""The runners of one machine: the main one, and cells for suspects. What a dead one leaves is handed on.

The cells have no ops port and are missing from the runner's metrics on the launcher's ops port: a cell lives for
seconds, and counters that begin again with each of them would look like resets of the main runner's.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus, following_open_jobs
from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.settings import env_of
from forgesyte_launcher.stack.process import ProcessSpec
from forgesyte_launcher.stack.supervisor import Death, Supervised
from forgesyte_plugin_runner.settings import RunnerSettings

from .cells import CellRules, Cells
from .hand_on import HandOn
from .supervised_runner import supervised_runner


@dataclass(frozen=True, slots=True)
class RunnerPlan:
    """What to run.

    Attributes:
        main: the main runner, as it is to be started.
        cell: a runner without an ops port; cells are made from it.
        most_cells: how many cells may run at once.
        plugins: what the main runner offers; empty: every installed plugin.
    """

    main: ProcessSpec
    cell: ProcessSpec
    most_cells: int
    plugins: tuple[str, ...] = ()


@asynccontextmanager
async def running_runners(bus: Bus, plan: RunnerPlan, group: asyncio.TaskGroup) -> AsyncIterator[Supervised]:
    """Run the runners during the block; yield the main one. At the end all of them drain at the same time.

    Raises:
        BusUnavailable: the jobs cannot be followed.
    """
    async with following_open_jobs(bus.jobs) as jobs:
        hand_on = HandOn(bus, jobs, SystemClock())

        def on_death(death: Death) -> None:
            group.create_task(hand_on.after(death), name=f"hand on after {death.child}")

        def start_cell(number: int, plugin: str) -> AbstractAsyncContextManager[Supervised]:
            return supervised_runner(cell_process(plan.cell, number, plugin), group, on_death)

        main = replace(plan.main, env={**plan.main.env, **env_of(RunnerSettings, suspects="never")})
        async with supervised_runner(main, group, on_death) as runner:
            rules = CellRules(plan.most_cells, plan.plugins, may_start=lambda: runner.working_as is not None)
            cells = Cells(jobs, start_cell, rules, group)
            async with beside(cells.run()):
                try:
                    yield runner
                finally:
                    runner.stop()
                    await cells.stop()


def cell_process(spec: ProcessSpec, number: int, plugin: str) -> ProcessSpec:
    """Describe the process of a cell.

    Args:
        spec: a runner without an ops port.
        number: of the cell, from 1.
        plugin: the one it offers.
    """
    name = cell_name(spec.name, number)
    own = env_of(RunnerSettings, slots=1, plugins=plugin, suspects="only", ops_port=-1)
    return replace(spec, name=name, log_file=spec.log_file.with_name(f"{name}.log"), env={**spec.env, **own})


def cell_name(runner: str, number: int) -> str:
    """Return the name of a cell, in messages and of its log file."""
    return f"{runner}-cell-{number}"

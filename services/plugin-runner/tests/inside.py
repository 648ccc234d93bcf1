"""A whole runner inside the test's process, over a real bus and a real store; only its sandbox plays a script.

So a test can hold any step of an attempt still, which no real plugin can.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.plugins import PluginManifest, ToolManifest
from forgesyte_plugin_runner import app
from forgesyte_plugin_runner.attempt.attempt import Attempt
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.metrics import RunnerMetrics
from forgesyte_plugin_runner.plugin_labels import PluginLabels
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_plugin_runner.workplace import Workplace
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.messages import Finished, Message, Row, Started

SUCCEEDED = SandboxOutcome(True, {}, None, None, 1.0, "succeeded")
NOT_STARTED = SandboxOutcome(False, None, "the zygote did not start", "released", 1.0, "released")

Say = Callable[[Message], Awaitable[None]]
Plan = Callable[[Say], Awaitable[SandboxOutcome]]
"""What the sandbox says and how it ends."""


async def ten_rows(say: Say, who: str = "") -> SandboxOutcome:
    """A plugin that is well."""
    await say(Started("h264", 10, 10))
    for index in range(10):
        await say(Row(index, b'{"frame_index":%d,"detections":"%s"}' % (index, who.encode())))
    await say(Finished({"frames_decoded": 10}))
    return SUCCEEDED


class Script:
    """Stands for the zygote: each run follows the plan until it ends or is cancelled."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.runs = 0

    async def run(self, order: Order) -> SandboxOutcome:
        self.runs += 1
        cancelled = SandboxOutcome(False, None, "killed", "cancelled", 1.0, "cancelled")
        async with asyncio.TaskGroup() as group:
            planned = group.create_task(self.plan(order.on_message))
            cancel = group.create_task(order.cancel.wait())
            await asyncio.wait((planned, cancel), return_when=asyncio.FIRST_COMPLETED)
            cancel.cancel()
            if not planned.done():
                planned.cancel()
                return cancelled
        return planned.result()


@dataclass
class Inside:
    """A runner that runs, and what it works with."""

    place: Workplace
    runner: app.Runner
    script: Script
    running: asyncio.Task[None]

    @property
    def jobs(self) -> dict[str, Attempt]:
        return self.runner._slots.jobs

    def terminate(self) -> None:
        """What SIGTERM does."""
        self.runner._lifetime.stop()

    async def drained(self) -> None:
        self.terminate()
        await self.running


@asynccontextmanager
async def a_runner(
    url: str, folder: Path, plan: Plan = ten_rows, *, name: str = "inside", **settings: Any
) -> AsyncIterator[Inside]:
    """Run a runner with plugin `probe` in this process; it is drained at the end unless it was before."""
    told = {"slots": 1, "ops_port": -1, "drain_s": 60.0, "scratch_dir": str(folder / "scratch"), **settings}
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Bus.connect(url, name=name))
        await bus.ensure()
        made = RunnerSettings(**told)
        scratch = await stack.enter_async_context(Scratch.open(made.scratch_path, name))
        clock, counted, plugins, script = SystemClock(), new_registry("plugin-runner"), PluginRegistry(), Script(plan)
        labels = PluginLabels(lambda: {"probe"})
        place = Workplace(
            runner_id=RunnerId(name),
            settings=made,
            bus=bus,
            store=Store.open(str(folder / "store"), call_limit_s=made.store_call_s),
            zygote=script,
            scratch=scratch,
            metrics=RunnerMetrics(counted, labels),
            devices=DeviceMonitor(clock.monotonic_s),
            registry=plugins,
            clock=clock,
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app, "load_plugins", _load_probe)
            # Giving a job back takes a few round trips, and as long as it takes on a busy machine.
            patch.setattr(app, "RELEASE_LIMIT_S", 60.0)
            runner = app.Runner(place, Lifetime(group), counted, labels)
            running = group.create_task(runner.run())
            inside = Inside(place, runner, script, running)
            try:
                yield inside
            finally:
                inside.terminate()
                await asyncio.wait([running])


async def _load_probe(place: Workplace, _found: object, on_ready: Callable[[FoundPlugin], Awaitable[None]]) -> None:
    found = FoundPlugin("probe", "probe:Probe", "probe 1.0.0")
    manifest = PluginManifest(name="probe", version="1.0.0", tools=(ToolManifest(name="gate"),))
    place.registry.register(found, manifest)
    place.registry.mark_initialized("probe")
    await on_ready(found)

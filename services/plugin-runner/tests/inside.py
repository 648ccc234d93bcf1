"""A whole runner inside the test's process, over a real bus and a real store; only its sandbox follows a script.

So a test can pause any step of an attempt, which no real plugin can.
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
from forgesyte_chassis.disk_watch import DiskWatch
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.scratch import Scratch
from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.plugins import PluginManifest, ToolManifest
from forgesyte_plugin_runner import runner as runner_module
from forgesyte_plugin_runner.attempt.attempt import Attempt
from forgesyte_plugin_runner.plugins.loading import PluginLoader
from forgesyte_plugin_runner.runner import Connections, Runner
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.messages import Finished, Message, Row, Started
from forgesyte_sandbox.shared.specs import DecodeSpec

SUCCEEDED = SandboxOutcome(True, {}, None, None, 1.0, "succeeded")
NOT_STARTED = SandboxOutcome(False, None, "the zygote did not start", "released", 1.0, "released")

Say = Callable[[Message], Awaitable[None]]
Plan = Callable[[Say], Awaitable[SandboxOutcome]]
"""What the sandbox sends and how it ends."""


async def ten_rows(say: Say, who: str = "") -> SandboxOutcome:
    """Behave like a healthy plugin."""
    await say(Started("h264", 10, 10))
    for index in range(10):
        await say(Row(index, b'{"frame_index":%d,"detections":"%s"}' % (index, who.encode())))
    await say(Finished({"frames_decoded": 10}))
    return SUCCEEDED


async def passes(_say: Say) -> SandboxOutcome:
    """Decode without a plugin, and find nothing."""
    return SUCCEEDED


class Script:
    """Replaces the zygote: each run follows its plan (without a plugin it is `decoding`) until it is cancelled."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.runs = 0
        self.decoding: Plan = passes
        self.decoded = 0
        self.calm_s = 60.0

    async def keep(self) -> None:
        await asyncio.Event().wait()

    @property
    def policy(self) -> None:
        """It walls nothing in."""
        return None

    async def run(self, order: Order) -> SandboxOutcome:
        plan = self._plan_for(order)
        cancelled = SandboxOutcome(False, None, "killed", "cancelled", 1.0, "cancelled")
        async with asyncio.TaskGroup() as group:
            planned = group.create_task(plan(order.on_message))
            cancel = group.create_task(order.cancel.wait())
            await asyncio.wait((planned, cancel), return_when=asyncio.FIRST_COMPLETED)
            cancel.cancel()
            if not planned.done():
                planned.cancel()
                return cancelled
        return planned.result()

    def _plan_for(self, order: Order) -> Plan:
        if isinstance(order.spec, DecodeSpec):
            self.decoded += 1
            return self.decoding
        self.runs += 1
        return self.plan


@dataclass
class Inside:
    """A running runner, and what it works with."""

    opened: Connections
    runner: Runner
    script: Script
    running: asyncio.Task[None]

    @property
    def jobs(self) -> dict[str, Attempt]:
        return self.runner._slots.jobs

    def terminate(self) -> None:
        """Do what SIGTERM does."""
        self.runner._lifetime.stop()

    async def drained(self) -> None:
        self.terminate()
        await self.running


@asynccontextmanager
async def a_runner(
    url: str,
    folder: Path,
    plan: Plan = ten_rows,
    *,
    name: str = "inside",
    disk: DiskWatch | None = None,
    **settings: Any,
) -> AsyncIterator[Inside]:
    """Run a runner with plugin `probe` in this process; it is drained at the end unless the test drained it."""
    values = {"slots": 1, "ops_port": -1, "drain_s": 60.0, "scratch_dir": str(folder / "scratch"), **settings}
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Bus.connect(url, name=name))
        await bus.ensure()
        made = RunnerSettings(**values)
        scratch = await stack.enter_async_context(Scratch.open(made.scratch_path, name))
        store = Store.open(str(folder / "store"), call_limit_s=made.store_call_s)
        script = Script(plan)
        opened = Connections(bus=bus, store=store, scratch=scratch, zygote=script, disk=disk or DiskWatch(()))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PluginLoader, "load_all", _load_probe)
            # Giving a job back takes a few round trips, however long these take on a busy machine.
            patch.setattr(runner_module, "RELEASE_LIMIT_S", 60.0)
            runner = Runner(RunnerId(name), settings=made, opened=opened, lifetime=Lifetime(group), clock=SystemClock())
            running = group.create_task(runner.run())
            inside = Inside(opened, runner, script, running)
            try:
                yield inside
            finally:
                inside.terminate()
                await asyncio.wait([running])


async def _load_probe(loader: PluginLoader, _found: object, on_ready: Callable[[FoundPlugin], Awaitable[None]]) -> None:
    found = FoundPlugin("probe", "probe:Probe", "probe 1.0.0")
    manifest = PluginManifest(name="probe", version="1.0.0", tools=(ToolManifest(name="gate"),))
    loader.registry.register(found, manifest)
    loader.registry.mark_initialized("probe")
    await on_ready(found)

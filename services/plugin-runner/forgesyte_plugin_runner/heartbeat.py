"""Reports every two seconds that this runner is alive, what it offers and what it does.

Others judge by it whether a job's owner is dead, so it continues until the last job is settled and is removed only
then.
"""

import asyncio
import os
import socket
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

import structlog

from forgesyte_chassis.bus import BusUnavailable, RunnerTable
from forgesyte_chassis.machine import boot_id
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import HEARTBEAT_EVERY_S

from .attempt.attempt import Attempt
from .devices.devices import DeviceMonitor
from .job_sandboxes import JobSandboxes
from .plugins.registry import PluginRegistry
from .slots import Slots
from .suspects.calm import CalmMachine

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class HeartbeatWriter:
    """Writes this runner's entry in the bucket `runners`.

    Attributes:
        runner_id, started_at: of this life of the runner.
        runners: the bucket.
        slots, devices, plugins, sandboxes, calm: what the heartbeat reports.
    takes_suspects: likewise.
    """

    runner_id: RunnerId
    started_at: datetime
    runners: RunnerTable
    slots: Slots[Attempt]
    devices: DeviceMonitor
    plugins: PluginRegistry
    sandboxes: JobSandboxes
    calm: CalmMachine
    takes_suspects: bool = True
    _version: str = field(default_factory=lambda: version("forgesyte-plugin-runner"))
    _beat_now: asyncio.Event = field(default_factory=asyncio.Event)
    _is_draining: bool = False

    def nudge(self) -> None:
        """Write the heartbeat at once: something changed that others wait for."""
        self._beat_now.set()

    def drain(self) -> None:
        """Report that this runner takes no more jobs."""
        self._is_draining = True
        self.nudge()

    def describe(self) -> RunnerHeartbeat:
        """Return what the next heartbeat says."""
        return RunnerHeartbeat(
            runner_id=self.runner_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._version,
            started_at=self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            draining=self._is_draining,
            slots=self.slots.count,
            slots_busy=len(self.slots.jobs),
            jobs=tuple(self.slots.jobs),
            steps=self.sandboxes.living.steps(),
            boot_id=boot_id(),
            beat_at=self.calm.clock.now(),
            faultless_since=self.calm.faultless_since,
            takes_suspects=self.takes_suspects,
            devices=self.devices.devices,
            plugins=self.plugins.list_all(),
            policy=self.sandboxes.policy,
        )

    async def run(self) -> None:
        """Write heartbeats until cancelled."""
        while True:
            self._beat_now.clear()
            try:
                await self.runners.beat(self.describe())
            except BusUnavailable as fault:
                log.debug("heartbeat not written", reason=fault.detail)
            await is_set_within(self._beat_now, HEARTBEAT_EVERY_S)

    async def remove(self) -> None:
        """Remove the entry at a clean exit; if the bus is unavailable, the entry expires."""
        try:
            await self.runners.remove(self.runner_id)
        except BusUnavailable as fault:
            log.info("heartbeat not removed", reason=fault.detail)

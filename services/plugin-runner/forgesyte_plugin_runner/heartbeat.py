"""Says every two seconds that this runner lives, what it offers and what it does.

Others judge by it whether a job's owner is dead, so it goes on until the last job is settled and is removed only then.
"""

import asyncio
import os
import socket
from datetime import datetime
from importlib.metadata import version

import structlog

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import HEARTBEAT_EVERY_S

from .attempt.attempt import Attempt
from .fitting import fitted
from .slots import Slots
from .workplace import Workplace

log = structlog.get_logger(__name__)


class HeartbeatWriter:
    """Writes this runner's entry in the bucket `runners`."""

    def __init__(self, place: Workplace, slots: Slots[Attempt]) -> None:
        self._place = place
        self._slots = slots
        self._started_at: datetime = place.clock.now()
        self._version = version("forgesyte-plugin-runner")
        self._beat_now = asyncio.Event()
        self._is_draining = False

    def nudge(self) -> None:
        """Beat at once: something changed that others wait for."""
        self._beat_now.set()

    def drain(self) -> None:
        """Tell that this runner takes no more jobs."""
        self._is_draining = True
        self.nudge()

    def describe(self) -> RunnerHeartbeat:
        """What the next beat says."""
        beat = RunnerHeartbeat(
            runner_id=self._place.runner_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._version,
            started_at=self._started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            draining=self._is_draining,
            slots=self._slots.count,
            slots_busy=len(self._slots.jobs),
            jobs=tuple(self._slots.jobs),
            devices=self._place.devices.devices,
            plugins=self._place.registry.list_all(),
        )
        return fitted(beat)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._beat_now.clear()
            try:
                await self._place.bus.runners.beat(self.describe())
            except BusUnavailable as fault:
                log.debug("heartbeat not written", reason=fault.detail)
            await is_set_within(self._beat_now, HEARTBEAT_EVERY_S)

    async def remove(self) -> None:
        """Take the entry away at a clean exit; when the bus is away its age does it."""
        try:
            await self._place.bus.runners.remove(self._place.runner_id)
        except BusUnavailable as fault:
            log.info("heartbeat not removed", reason=fault.detail)

"""How a cell finds its jobs: by the records, which say which jobs are suspects, and not from the queue.

The queue delivers a message to any runner that asks. A cell and the main runner on one consumer took and returned each
other's jobs for half a minute while both had a free slot. So a cell leaves the queue alone: it claims a suspect by its
record, and removes the message when the job has ended. A runner that is delivered the message meanwhile finds an owner.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from forgesyte_chassis.bus import Bus, BusUnavailable, Delivery, OpenJobs, following_open_jobs
from forgesyte_chassis.clock import SYSTEM_CLOCK
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.blame import seconds_since_fault, side_by_side, was_hit_alone
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_plugin_runner.slots import RunningJob, Slots

log = structlog.get_logger(__name__)

AGAIN_S = 1.0
"""Seconds until a suspect whose claim was refused is tried again."""

SETTLED_S = 1.0
"""Seconds after a fault in which its job is left alone: until then the records may not show whom else it hit."""

_LOOK_EVERY_S = 0.25


class SuspectPuller[JobT: RunningJob]:
    """The loop of a cell, in place of WorkPuller, with the same calls."""

    def __init__(
        self,
        bus: Bus,
        slots: Slots[JobT],
        handle: Callable[[Delivery], Coroutine[Any, Any, None]],
        may_pull: Callable[[str], bool] = lambda _plugin: True,
    ) -> None:
        """Take nothing for a plugin while `may_pull` denies it: it failed, or it was never ready."""
        self._bus = bus
        self._slots = slots
        self._handle = handle
        self._may_pull = may_pull
        self._offered: set[tuple[str, str]] = set()
        self._tried_s: dict[JobId, float] = {}
        self._stopping = asyncio.Event()

    def offer(self, plugin: str, device: str) -> None:
        """Take suspects of this plugin on this device from now on."""
        self._offered.add((plugin, device))

    def withdraw(self, plugin: str, device: str) -> None:
        """Take no more of them."""
        self._offered.discard((plugin, device))

    def hint(self, plugin: str, device: str) -> None:
        """Do nothing: the records tell sooner."""

    def sweep(self) -> None:
        """Do nothing: the next look follows at once."""

    def stop(self) -> None:
        """Take nothing more; run() returns when the jobs that started here have ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Take suspects until stop(), then wait until every job that started here has ended."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                try:
                    async with following_open_jobs(self._bus.jobs) as jobs:
                        await self._take_from(jobs, group)
                except BusUnavailable as fault:
                    log.info("jobs cannot be followed yet", reason=fault.detail)
                    await is_set_within(self._stopping, AGAIN_S)

    async def _take_from(self, jobs: OpenJobs, group: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            record = self._next(jobs)
            if record is None:
                await is_set_within(self._stopping, _LOOK_EVERY_S)
                continue
            job_id = JobId(record.job_id)
            self._tried_s[job_id] = asyncio.get_running_loop().time()
            self._slots.reserve(record.device)
            group.create_task(self._handle(self._bus.work.unpulled(job_id, record.plugin_id, record.device)))

    def _next(self, jobs: OpenJobs) -> JobRecord | None:
        """Return the oldest suspect that this cell may take now and that may run beside those in other cells."""
        now_s = asyncio.get_running_loop().time()
        self._tried_s = {job_id: at_s for job_id, at_s in self._tried_s.items() if now_s - at_s < AGAIN_S}
        now = SYSTEM_CLOCK.now()
        # Over all suspects, so that all cells agree: each choosing from what it offers would start two at once.
        for record in side_by_side(jobs.suspects(), now):
            if was_hit_alone(record) and seconds_since_fault(record, now) < SETTLED_S:
                continue
            is_ours = (record.plugin_id, record.device) in self._offered and self._may_pull(record.plugin_id)
            if is_ours and self._slots.has_room(record.device) and JobId(record.job_id) not in self._tried_s:
                return record
        return None

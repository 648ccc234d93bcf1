"""Hands on the jobs of a runner that died: each is judged, closed and queued again at once, without waiting for the
queue to miss the runner.

The supervisor saw the death, so it is the best witness: a runner that it stopped itself never comes here. Whatever else
notices (a redelivery, another runner's claim) may be faster: the record decides by compare-and-set, the loser does
nothing, and a message that is sent twice finds a job that is taken.

A death within SHARED_S of another runner's, by an operator or by a job that hits all runners, is held against no job
that ran alone. So such a job is judged when that time has passed; until then the dead runner's heartbeat keeps it from
others.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from forgesyte_chassis.bus import Bus, BusUnavailable, OpenJobs
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.machine import circumstances_here
from forgesyte_chassis.waiting import retry
from forgesyte_contracts import moves
from forgesyte_contracts.blame import Circumstances
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.stack.supervisor import Death, describe_exit

log = structlog.get_logger(__name__)

SHARED_S = 2.0
"""Deaths of runners within this time have one cause. After it the view of the jobs also has what the dead runner wrote
last."""

_LIMIT_S = 60.0
_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class HandOn:
    """Hands jobs on.

    Attributes:
        bus: connected.
        jobs: the jobs that have not ended.
        clock: dates what is written.
        died_s: of each runner that died, when it last did, as the event loop counts.
    """

    bus: Bus
    jobs: OpenJobs
    clock: Clock
    died_s: dict[str, float] = field(default_factory=dict)

    async def after(self, death: Death) -> None:
        """Hand on the jobs of a dead runner and remove its heartbeat.

        While the bus is unavailable this waits; later the queue delivers the jobs again by itself.
        """
        at_s = self.died_s[death.child] = asyncio.get_running_loop().time()
        if death.worked_as is None:
            return
        seen = circumstances_here()
        try:
            async with asyncio.timeout(_LIMIT_S):
                beside = [record for record in self.jobs.owned_by(death.worked_as) if not record.runs_alone]
                await self._all(beside, death.worked_as, _what(death), seen)
                await asyncio.sleep(SHARED_S)
                seen = replace(seen, is_shared=self._is_shared(death, at_s))
                await self._all(self.jobs.owned_by(death.worked_as), death.worked_as, _what(death), seen)
                remove = partial(self.bus.runners.remove, death.worked_as)
                await retry(remove, on=BusUnavailable, every_s=_RETRY_S)
        except TimeoutError:
            log.warning("jobs left to the queue", runner_id=death.worked_as, limit_s=_LIMIT_S)
        except Exception:  # a border like a message handler's: the queue delivers these jobs again by itself
            log.exception("jobs left to the queue", runner_id=death.worked_as)

    def _is_shared(self, death: Death, at_s: float) -> bool:
        others = (other_s for child, other_s in self.died_s.items() if child != death.child)
        return any(abs(other_s - at_s) <= SHARED_S for other_s in others)

    async def _all(self, records: Sequence[JobRecord], runner_id: str, what: str, seen: Circumstances) -> None:
        for record in records:
            hand_on = partial(self._one, record, runner_id, what, seen)
            try:
                await retry(hand_on, on=BusUnavailable, every_s=_RETRY_S)
            except ForgeSyteError as fault:  # it was removed, or its record is too large: no other job waits for that
                log.warning("job not handed on", job_id=record.job_id, reason=fault.detail)

    async def _one(self, seen_job: JobRecord, runner_id: str, what: str, seen: Circumstances) -> None:
        job_id = JobId(seen_job.job_id)

        def closed(record: JobRecord) -> JobRecord:
            return moves.orphaned(record, runner_id, what, self.clock.now(), seen)

        record = (await self.bus.jobs.change(job_id, closed)).record
        self.jobs.take(job_id, record)
        if record.owner is not None or record.attempt != seen_job.attempt:
            return  # another runner was faster, and the message is in its hands
        await self.bus.work.purge(job_id, record.plugin_id, record.device)
        # Also of a job that ends here: the runner that gets the message counts it against its plugin.
        await self.bus.work.publish(job_id, record.plugin_id, record.device)
        log.warning(
            "job of a dead runner handed on",
            job_id=job_id,
            runner_id=runner_id,
            status=record.status.value,
            is_suspect=record.is_suspect,
        )


def _what(death: Death) -> str:
    return f"its runner {'stood still' if death.stall else describe_exit(death.exit_status)}"

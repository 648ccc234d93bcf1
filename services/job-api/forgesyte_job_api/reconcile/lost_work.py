"""Work messages that are missing although their job has not ended: they are sent again.

A publish that failed, a bus that lost its queue, an acknowledgement by a runner that no longer owned the job: all look
the same from here: a job that does not change, and an empty work subject. At most one message per job can exist, so two
replicas that find the same job send it once.
"""

import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobStatus
from forgesyte_job_api.projection import Projection, SeenJob

log = structlog.get_logger(__name__)


class Resender:
    """Checks jobs that have not changed for `after_s` seconds, and each again after the same time."""

    def __init__(self, bus: Bus, projection: Projection, clock: Clock, *, after_s: float) -> None:
        self._bus = bus
        self._projection = projection
        self._clock = clock
        self._after_s = after_s
        self._next_check_s: dict[JobId, float] = {}

    def forget_all_but(self, living: set[JobId]) -> None:
        """Forget jobs that have ended."""
        self._next_check_s = {job_id: at_s for job_id, at_s in self._next_check_s.items() if job_id in living}

    async def look_at(self, seen: SeenJob, *, may_judge_owner: bool) -> bool:
        """Send the work of one job again if the job does not change and nothing is queued for it.

        Args:
            seen: a job that has not ended.
            may_judge_owner: whether the bus has been connected long enough to judge a running job.

        Returns:
            Whether it was sent.

        Raises:
            BusUnavailable: the bus is unavailable; the next round tries again.
        """
        if not self._is_due(seen) or (seen.record.status is JobStatus.RUNNING and not may_judge_owner):
            return False
        job_id = JobId(seen.record.job_id)
        self._next_check_s[job_id] = self._clock.monotonic_s() + self._after_s
        if await self._bus.work.has(job_id, seen.record.plugin_id, seen.record.device):
            return False
        stored = await self._bus.jobs.get(job_id)
        if stored is None:
            self._projection.forget(job_id)
            return False
        if stored.revision < seen.revision:
            # Revisions only grow, so the bus was restored from an older copy; what it holds now counts.
            self._projection.apply(job_id, stored.record, stored.revision, is_anew=True)
            return False
        if stored.revision != seen.revision or stored.record.is_terminal:
            return False
        record = stored.record
        if not await self._bus.work.publish(job_id, record.plugin_id, record.device):
            return False
        log.info("work sent again", job_id=job_id, plugin=record.plugin_id, status=record.status.value)
        return True

    def _is_due(self, seen: SeenJob) -> bool:
        now_s = self._clock.monotonic_s()
        stands_still = now_s - seen.since_s >= self._after_s
        return stands_still and now_s >= self._next_check_s.get(JobId(seen.record.job_id), 0.0)

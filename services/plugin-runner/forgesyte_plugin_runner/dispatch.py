"""What happens to a delivered message: it is claimed and becomes an attempt, or it is left to the job's owner.

Faults of the runner stop here: a job whose handling broke is given back; the other jobs and the runner go on.
"""

import asyncio
from collections.abc import Callable

import structlog

from forgesyte_chassis.bus import Adopted, BusUnavailable, Claimed, Delivery, Refused, claim
from forgesyte_chassis.waiting import retry
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId, RunnerId
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError

from .attempt.attempt import Attempt
from .attempt.ending import handover_delay_s
from .attempt.resources import AttemptResources
from .attempt.stored_result import keep_record
from .plugins.plugin_faults import blame_claimed
from .slots import Slots
from .suspects.door import Door

log = structlog.get_logger(__name__)

AGAIN_DELAY_S = 3.0

NEXT_ATTEMPT_DELAY_S = 0.2
"""Between the death of a sandbox and the next attempt: short, yet a plugin that dies at once cannot spin."""

_RETRY_EVERY_S = 1.0


class JobDispatcher:
    """Turns deliveries into attempts; handle() is called once for each reserved slot.

    Args:
        runner_id: owns what is claimed here.
        slots: the jobs that run here.
        door: says which jobs may come in beside those.
        resources: what attempts work with.
        is_draining: returns whether this runner is stopping, so that a next attempt is another runner's.
    """

    def __init__(
        self,
        runner_id: RunnerId,
        slots: Slots[Attempt],
        door: Door,
        resources: AttemptResources,
        *,
        is_draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self._runner_id = runner_id
        self._slots = slots
        self._door = door
        self._resources = resources
        self._bus, self._clock, self._reports = resources.bus, resources.clock, resources.reports
        self._is_draining = is_draining
        self._in_hand: set[JobId] = set()

    async def handle(self, delivery: Delivery) -> None:
        """Bring one delivery to its end, and free its slot."""
        try:
            await self._take(delivery)
        except BusUnavailable as fault:
            log.info("delivery left to the queue", job_id=delivery.job_id, reason=fault.detail)
        except Exception:
            self._reports.backoff.faulted()
            log.exception("job handling failed", job_id=delivery.job_id, plugin=delivery.plugin)
        finally:
            self._slots.free(delivery.device)

    async def _take(self, delivery: Delivery) -> None:
        job_id = delivery.job_id
        if job_id in self._slots.jobs:
            await self._claim(delivery, is_here=True)
        elif job_id in self._in_hand:
            delivery.nak_later(AGAIN_DELAY_S)
        else:
            self._in_hand.add(job_id)
            try:
                await self._try_here(delivery)
            finally:
                self._in_hand.discard(job_id)

    async def _try_here(self, delivery: Delivery) -> None:
        """Try the job until it ends or is given to others: after the death of its sandbox it goes on here at once."""
        held: Delivery | None = delivery
        while held is not None:
            delivery = held
            if not self._reports.plugins.is_available(delivery.plugin):
                # It failed meanwhile: another runner may have it, or a reload may fix it.
                self._reports.metrics.refused("plugin not ready")
                delivery.nak_later(AGAIN_DELAY_S)
                return
            if (held := await self._try_once(delivery)) is not None:
                await asyncio.sleep(NEXT_ATTEMPT_DELAY_S)
                if self._is_draining():
                    await held.nak()
                    return

    async def _try_once(self, delivery: Delivery) -> Delivery | None:
        job_id = delivery.job_id
        try:
            return await self._claim(delivery)
        except Exception:
            # A claim whose answer was lost may have landed; no other runner takes the job while we are alive.
            record = await self._give_back(job_id)
            delivery.nak_later(AGAIN_DELAY_S if record is None else handover_delay_s(record))
            raise
        finally:
            self._door.leave(job_id)

    async def _claim(self, delivery: Delivery, *, is_here: bool = False) -> Delivery | None:
        """Claim the job by its record; a job that runs here already can only be adopted, never started again.

        Returns:
            The message, when the job's sandbox has died and it is to be tried again.
        """
        answer = await claim(
            self._bus,
            delivery,
            self._runner_id,
            running_here=lambda _job_id: is_here,
            admit=self._door.admit,
            clock=self._clock,
            policy=policy.word if (policy := self._resources.sandboxes.policy) is not None else None,
        )
        match answer:
            case Claimed(stored=stored):
                return await self._run(Attempt(self._resources, stored, delivery), stored.record)
            case Adopted():
                await self._adopt(delivery)
            case Refused(reason=reason, stored=known):
                log.info("claim refused", job_id=delivery.job_id, reason=reason)
                self._reports.metrics.refused(reason)
                is_news = reason == "exhausted" or (known is not None and _was_ended_by_its_supervisor(known.record))
                if known is not None and known.record.is_suspect and is_news:
                    blame_claimed(self._reports.plugins, known.record)
                    self._reports.metrics.suspect_left(known.record)
                if reason in ("finished", "exhausted"):
                    await self._keep_record(delivery.job_id)
        return None

    async def _run(self, attempt: Attempt, record: JobRecord) -> Delivery | None:
        job_id = JobId(record.job_id)
        log.info("job claimed", job_id=job_id, plugin=record.plugin_id, tools=record.tools, attempt=record.attempt)
        self._reports.metrics.claimed(record)
        self._slots.enter(job_id, attempt)
        try:
            return await attempt.run()
        finally:
            self._slots.leave(job_id, attempt)
            if record.is_suspect:
                self._reports.metrics.suspect_left(attempt.record)

    async def _adopt(self, delivery: Delivery) -> None:
        attempt = self._slots.jobs.get(delivery.job_id)
        if attempt is None:
            delivery.nak_later(AGAIN_DELAY_S)
            return
        log.info("redelivery adopted", job_id=delivery.job_id)
        attempt.adopt(delivery)

    async def _give_back(self, job_id: JobId) -> JobRecord | None:
        """Make sure the record does not name us as owner of a job that does not run here; return it if it exists."""

        def disowned(record: JobRecord) -> JobRecord:
            if record.owner != self._runner_id or record.is_terminal:
                return record
            return moves.released(record, record.current_frame, self._clock.now())

        jobs = self._bus.jobs
        try:
            written = await retry(lambda: jobs.change(job_id, disowned), on=BusUnavailable, every_s=_RETRY_EVERY_S)
        except ForgeSyteError as fault:
            if fault.code is not Code.JOB_UNKNOWN:
                log.exception("job not given back", job_id=job_id)
            return None
        return written.record

    async def _keep_record(self, job_id: JobId) -> None:
        """Write the record.json that an owner that died between its last two steps did not write."""
        stored = await self._bus.jobs.get(job_id)
        if stored is not None and stored.record.is_terminal:
            await keep_record(self._resources.storage, stored.record)


def _was_ended_by_its_supervisor(record: JobRecord) -> bool:
    """Whether the job ended as its runner died under it, alone: the supervisor that saw it keeps no plugin's count."""
    ended_so = bool(record.attempts) and record.attempts[-1].outcome is AttemptOutcome.LOST
    return ended_so and record.status is JobStatus.FAILED

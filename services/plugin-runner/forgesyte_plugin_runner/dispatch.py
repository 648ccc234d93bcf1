"""What happens to one delivered message: it is claimed and becomes an attempt, or it is left to its owner.

This is the border behind which a fault of ours stays: a job whose handling broke is given back, its neighbours and the
runner go on.
"""

import structlog

from forgesyte_chassis.bus import Adopted, BusUnavailable, Claimed, Delivery, Refused, claim
from forgesyte_chassis.waiting import retry
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError

from .attempt.attempt import Attempt
from .attempt.ending import handover_delay_s
from .attempt.store_retry import StoreLost
from .attempt.stored_result import write_record
from .slots import Slots
from .workplace import Workplace

log = structlog.get_logger(__name__)

AGAIN_DELAY_S = 3.0
_RETRY_EVERY_S = 1.0


class JobDispatcher:
    """Turns deliveries into attempts; one call of handle() for each reserved slot."""

    def __init__(self, place: Workplace, slots: Slots[Attempt]) -> None:
        self._place = place
        self._slots = slots
        self._in_hand: set[JobId] = set()

    async def handle(self, delivery: Delivery) -> None:
        """Bring one delivery to its end, and free its slot."""
        try:
            await self._take(delivery)
        except BusUnavailable as fault:
            log.info("delivery left to the queue", job_id=delivery.job_id, reason=fault.detail)
        except Exception:
            self._place.fitness.faulted()
            log.exception("job handling failed", job_id=delivery.job_id, plugin=delivery.plugin)
        finally:
            self._slots.free(delivery.device)

    async def _take(self, delivery: Delivery) -> None:
        job_id = delivery.job_id
        if job_id in self._slots.jobs:
            await self._claim(delivery, is_here=True)
        elif job_id in self._in_hand:
            await delivery.nak(AGAIN_DELAY_S)
        elif not self._place.registry.is_available(delivery.plugin):
            # It failed while this message was on its way: another runner may have it, or a reload mends it.
            self._place.metrics.refused("plugin not ready")
            await delivery.nak(AGAIN_DELAY_S)
        else:
            self._in_hand.add(job_id)
            try:
                await self._claim(delivery)
            except Exception:
                # A claim whose answer got lost may have landed: while our heartbeat lives nobody else would take it.
                record = await self._give_back(job_id)
                await delivery.nak(AGAIN_DELAY_S if record is None else handover_delay_s(record))
                raise
            finally:
                self._in_hand.discard(job_id)

    async def _claim(self, delivery: Delivery, *, is_here: bool = False) -> None:
        """Ask the record whose the job is; one that is here already can only be adopted, never begun a second time."""
        place = self._place
        answer = await claim(
            place.bus,
            delivery,
            place.runner_id,
            running_here=lambda _job_id: is_here,
            clock=place.clock,
        )
        match answer:
            case Claimed(stored=stored):
                await self._run(Attempt(place, stored, delivery), stored.record)
            case Adopted():
                await self._adopt(delivery)
            case Refused(reason=reason):
                log.info("claim refused", job_id=delivery.job_id, reason=reason)
                place.metrics.refused(reason)
                if reason in ("finished", "exhausted"):
                    await self._keep_record(delivery.job_id)

    async def _run(self, attempt: Attempt, record: JobRecord) -> None:
        job_id = JobId(record.job_id)
        log.info("job claimed", job_id=job_id, plugin=record.plugin_id, tools=record.tools, attempt=record.attempt)
        self._place.metrics.claimed(record)
        self._slots.enter(job_id, attempt)
        try:
            await attempt.run()
        finally:
            self._slots.leave(job_id, attempt)

    async def _adopt(self, delivery: Delivery) -> None:
        attempt = self._slots.jobs.get(delivery.job_id)
        if attempt is None:
            await delivery.nak(AGAIN_DELAY_S)
            return
        log.info("redelivery adopted", job_id=delivery.job_id)
        attempt.adopt(delivery)

    async def _give_back(self, job_id: JobId) -> JobRecord | None:
        """Make sure that the record does not name us as owner of a job that does not run here; gives it if it can."""

        def disowned(record: JobRecord) -> JobRecord:
            if record.owner != self._place.runner_id or record.is_terminal:
                return record
            return moves.released(record, record.current_frame, self._place.clock.now())

        jobs = self._place.bus.jobs
        try:
            written = await retry(lambda: jobs.change(job_id, disowned), on=BusUnavailable, every_s=_RETRY_EVERY_S)
        except ForgeSyteError as fault:
            if fault.code is not Code.JOB_UNKNOWN:
                log.exception("job not given back", job_id=job_id)
            return None
        return written.record

    async def _keep_record(self, job_id: JobId) -> None:
        """Write the record.json that an owner who died between its last two steps left out."""
        stored = await self._place.bus.jobs.get(job_id)
        if stored is None or not stored.record.is_terminal:
            return
        try:
            await self._place.patience.persist(lambda: write_record(self._place.store, stored.record))
        except StoreLost as fault:
            log.warning("record not kept in the store", job_id=job_id, error=str(fault))

"""The hold on one work message: extended while the record is in reach, settled once, after the record was written.

It is extended only while the last successful read or write of the record is younger than ack_wait: a runner that can no
longer see the record must let the queue hand the message to another runner.
"""

import asyncio

import structlog

from forgesyte_chassis.bus import BusUnavailable, Delivery
from forgesyte_chassis.clock import Clock
from forgesyte_contracts.streams import WORK

log = structlog.get_logger(__name__)


class DeliveryHold:
    """The current delivery of one job's work message."""

    def __init__(self, delivery: Delivery, clock: Clock, ack_wait_s: float) -> None:
        self._delivery = delivery
        self._clock = clock
        self._ack_wait_s = ack_wait_s
        self._is_settled = False
        self.touch()

    def touch(self) -> None:
        """Note that the record was just read or written and that the job is still ours."""
        self._touched_s = self._clock.monotonic_s()

    @property
    def untouched_s(self) -> float:
        """Seconds since the last successful read or write of the record."""
        return self._clock.monotonic_s() - self._touched_s

    def adopt(self, delivery: Delivery) -> None:
        """Take the handle of a redelivery of the same message: the queue has dropped the old handle.

        Nothing is sent through the old one any more, even by code that still holds it.
        """
        self._delivery.fence()
        self._delivery = delivery

    def drop(self) -> None:
        """Fenced: the message belongs to another attempt, so nothing more is sent for it."""
        self._is_settled = True
        self._delivery.fence()

    async def run(self) -> None:
        """Extend the hold until cancelled."""
        while True:
            await asyncio.sleep(WORK.in_progress_every_s)
            if self._is_settled or self.untouched_s >= self._ack_wait_s:
                continue
            try:
                await self._delivery.in_progress()
            except BusUnavailable:
                log.debug("hold not extended: bus unavailable", job_id=self._delivery.job_id)

    async def ack(self) -> None:
        """Acknowledge: the job has ended and its record says so. If that fails, a redelivery finds it out."""
        if not self._settle():
            return
        try:
            await self._delivery.ack()
        except BusUnavailable:
            log.info("ack not sent: bus unavailable", job_id=self._delivery.job_id)

    async def nak(self) -> None:
        """Give the message back for another attempt; if the bus is unavailable, ack_wait has the same effect.

        Nothing is sent once the record has been out of reach for ack_wait: another runner may hold the message by now.
        """
        if not self._settle_in_time():
            return
        try:
            await self._delivery.nak()
        except BusUnavailable:
            log.info("nak not sent: bus unavailable", job_id=self._delivery.job_id)

    def nak_later(self, delay_s: float) -> None:
        """Give the message back as nak() does, after `delay_s` seconds."""
        if self._settle_in_time():
            self._delivery.nak_later(delay_s)

    def pass_on(self) -> Delivery | None:
        """Return the message for the next attempt in this process; None when another runner may hold it by now."""
        return self._delivery if self._settle_in_time() else None

    def _settle_in_time(self) -> bool:
        return self._settle() and self.untouched_s < self._ack_wait_s

    def _settle(self) -> bool:
        was_settled, self._is_settled = self._is_settled, True
        return not was_settled

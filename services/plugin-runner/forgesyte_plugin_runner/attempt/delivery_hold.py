"""The hold on one work message: extended while the record is in reach, settled once, after the record was written.

It is extended only while the last successful read or write of the record is younger than ack_wait: a runner that can
not see the record any more must let the queue hand the message to somebody who can.
"""

import asyncio
from collections.abc import Callable

import structlog

from forgesyte_chassis.bus import BusUnavailable, Delivery
from forgesyte_contracts.streams import WORK

log = structlog.get_logger(__name__)


class DeliveryHold:
    """The present delivery of one job's work message."""

    def __init__(self, delivery: Delivery, monotonic: Callable[[], float], ack_wait_s: float) -> None:
        self._delivery = delivery
        self._monotonic = monotonic
        self._ack_wait_s = ack_wait_s
        self._is_settled = False
        self.touch()

    def touch(self) -> None:
        """Note that the record was read or written just now, and is still ours."""
        self._touched_s = self._monotonic()

    @property
    def untouched_s(self) -> float:
        """Seconds since the last successful read or write of the record."""
        return self._monotonic() - self._touched_s

    def adopt(self, delivery: Delivery) -> None:
        """Take the handle of a redelivery of the same message: the queue forgot the old one.

        Nothing is sent through that any more, whoever still holds it.
        """
        self._delivery.fence()
        self._delivery = delivery

    def drop(self) -> None:
        """Fenced: the message belongs to somebody else, so nothing is sent for it any more."""
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
                log.debug("hold not extended, the bus is away", job_id=self._delivery.job_id)

    async def ack(self) -> None:
        """The job has ended and its record says so. When the bus is away a redelivery finds that out."""
        if not self._settle():
            return
        try:
            await self._delivery.ack()
        except BusUnavailable:
            log.info("ack not sent, the bus is away", job_id=self._delivery.job_id)

    async def nak(self, delay_s: float = 0.0) -> None:
        """Give the message back for another attempt; when the bus is away ack_wait does the same.

        Nothing is said once the record was out of reach for ack_wait: the message may be in other hands by now.
        """
        if not self._settle() or self.untouched_s >= self._ack_wait_s:
            return
        try:
            await self._delivery.nak(delay_s)
        except BusUnavailable:
            log.info("nak not sent, the bus is away", job_id=self._delivery.job_id)

    def _settle(self) -> bool:
        was_settled, self._is_settled = self._is_settled, True
        return not was_settled

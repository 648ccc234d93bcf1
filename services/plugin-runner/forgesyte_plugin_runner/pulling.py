"""Pulls work: reserves a slot, then asks one consumer for one message.

Hints from the work subjects say which consumer to ask at once. Sweeps over all consumers at start, after a reconnect,
when a slot becomes free and every second find what no hint announced. A pull is never cancelled: a message under way
would be lost until ack_wait. Rejected: a standing pull per consumer (takes more jobs than there are slots).
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from forgesyte_chassis.bus import PULL_WAIT_S, BusUnavailable, Delivery, WorkQueue
from forgesyte_chassis.waiting import is_set_within

from .slots import RunningJob, Slots

log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 1.0
_AWAY_WAIT_S = 0.25

Consumer = tuple[str, str]
"""Plugin and device."""


class WorkPuller[JobT: RunningJob]:
    """The one loop that pulls for this runner."""

    def __init__(
        self,
        work: WorkQueue,
        slots: Slots[JobT],
        handle: Callable[[Delivery], Coroutine[Any, Any, None]],
        may_pull: Callable[[str], bool] = lambda _plugin: True,
    ) -> None:
        """Pull nothing for a plugin while `may_pull` denies it: it failed, or it was never ready."""
        self._work = work
        self._slots = slots
        self._handle = handle
        self._may_pull = may_pull
        self._offered: dict[Consumer, None] = {}
        # Consumers to ask, oldest first, with the seconds the server may wait: a hint arrives before its message.
        self._hot: dict[Consumer, float] = {}
        self._wake = asyncio.Event()
        self._is_stopping = False

    def offer(self, plugin: str, device: str) -> None:
        """Pull for this plugin on this device from now on; its consumer exists."""
        self._offered[(plugin, device)] = None
        self.hint(plugin, device)

    def withdraw(self, plugin: str, device: str) -> None:
        """Stop pulling for this plugin on this device."""
        self._offered.pop((plugin, device), None)
        self._hot.pop((plugin, device), None)

    def hint(self, plugin: str, device: str) -> None:
        """Note that there may be a message for this consumer; consumers that are not offered are ignored."""
        if (plugin, device) in self._offered:
            self._hot[(plugin, device)] = PULL_WAIT_S
            self._wake.set()

    def sweep(self) -> None:
        """Note that there may be a message for any consumer."""
        self._hot = {**self._hot, **{consumer: 0.0 for consumer in self._offered if consumer not in self._hot}}
        self._wake.set()

    def stop(self) -> None:
        """Stop pulling; run() returns when the current pull has its answer."""
        self._is_stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Pull until stop(), then wait until every job that started here has ended."""
        async with asyncio.TaskGroup() as group:
            while not self._is_stopping:
                consumer = self._next()
                if consumer is None:
                    await self._wait()
                    continue
                delivery = await self._pull(*consumer)
                if delivery is not None:
                    group.create_task(self._handle(delivery))

    async def _wait(self) -> None:
        self._wake.clear()
        if not await is_set_within(self._wake, SWEEP_EVERY_S):
            self.sweep()

    def _next(self) -> Consumer | None:
        """Return the longest waiting consumer whose plugin is ready and whose device has a free slot."""
        return next((c for c in self._hot if self._slots.has_room(c[1]) and self._may_pull(c[0])), None)

    async def _pull(self, plugin: str, device: str) -> Delivery | None:
        """Ask a consumer; one that had a message is asked again, behind the others."""
        wait_s = self._hot.pop((plugin, device))
        self._slots.reserve(device)
        delivery = None
        try:
            delivery = await self._work.pull(plugin, device, wait_s=wait_s)
        except BusUnavailable:
            await asyncio.sleep(_AWAY_WAIT_S)
        finally:
            if delivery is None:
                self._slots.unreserve(device)
        if delivery is None:
            return None
        self._hot.setdefault((plugin, device), 0.0)
        if not self._is_stopping:
            return delivery
        await self._hand_back(delivery)
        return None

    async def _hand_back(self, delivery: Delivery) -> None:
        """Return a message that arrived while the runner was stopping, so that another runner gets it at once."""
        self._slots.unreserve(delivery.device)
        try:
            await delivery.nak()
        except BusUnavailable:
            log.info("delivery left to the queue", job_id=delivery.job_id)

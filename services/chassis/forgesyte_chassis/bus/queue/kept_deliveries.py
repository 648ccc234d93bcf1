"""Messages that go back to the queue after a while: until then they are kept here, by this process.

The server can delay a negative acknowledgement itself, but one time in eight it then held the message for the whole of
ack_wait (20 of 160 times; the cause inside the server is unknown). So a message is kept here like that of a running
job, and returned at once when its time has come. If this process dies first, ack_wait has the same effect.
"""

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from forgesyte_chassis.bus.errors import BusUnavailable
from forgesyte_chassis.waiting import is_set_within
from forgesyte_contracts.streams import WORK


class Returnable(Protocol):
    """A message that can be held and returned."""

    def in_progress(self) -> Awaitable[None]:
        """Keep it for another ack_wait."""

    def nak(self) -> Awaitable[None]:
        """Return it to the queue at once."""


@dataclass(slots=True)
class _Kept:
    delivery: Returnable
    due_s: float
    touched_s: float


class KeptDeliveries:
    """The messages that this process keeps until their time has come. run() must be running."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._changed = asyncio.Event()

    def keep(self, delivery: Returnable, delay_s: float) -> None:
        """Return a message to the queue after `delay_s` seconds; nothing else may be sent for it from now on."""
        now_s = asyncio.get_running_loop().time()
        self._kept.append(_Kept(delivery, now_s + delay_s, now_s))
        self._changed.set()

    async def return_all(self) -> None:
        """Return all of them now: this process takes no more jobs."""
        kept, self._kept = self._kept, []
        for each in kept:
            await _sent(each.delivery.nak())

    async def run(self) -> None:
        """Keep and return them until cancelled; then return what is left."""
        try:
            while True:
                self._changed.clear()
                await is_set_within(self._changed, self._rest_s())
                await self._look()
        finally:
            await self.return_all()

    def _rest_s(self) -> float:
        now_s = asyncio.get_running_loop().time()
        moments_s = (min(each.due_s, each.touched_s + WORK.in_progress_every_s) for each in self._kept)
        return max(min(moments_s, default=math.inf) - now_s, 0.0)

    async def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        due = [each for each in self._kept if each.due_s <= now_s]
        self._kept = [each for each in self._kept if each.due_s > now_s]
        for each in due:
            await _sent(each.delivery.nak())
        for each in [each for each in self._kept if each.touched_s + WORK.in_progress_every_s <= now_s]:
            each.touched_s = now_s
            if not await _sent(each.delivery.in_progress()) and each in self._kept:
                self._kept.remove(each)


async def _sent(sending: Awaitable[None]) -> bool:
    """Return whether it was sent. While the bus is unavailable nothing is, and ack_wait returns the message."""
    try:
        await sending
    except BusUnavailable:
        return False
    return True

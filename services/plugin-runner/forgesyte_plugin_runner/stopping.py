"""Why an attempt is stopped from outside, and how such a stop cuts waiting short."""

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any


class StopReason(StrEnum):
    """Why the attempt stops. The first reason counts."""

    CANCELLED = "cancelled"
    """A user cancelled the job, and this attempt, which owns it, writes so."""

    ENDED = "ended"
    """The record is terminal: others ended the job."""

    FENCED = "fenced"
    """Another attempt owns the job: nothing more about it goes to the bus."""

    RELEASED = "released"
    """This runner gives the job back at once: it drains, or the attempt cannot continue."""

    FAULT = "fault"
    """This runner gives the job back after a delay: it, its machine or the store had a fault."""

    UNWRITABLE = "unwritable"
    """The attempt's state can never be written into the record: the job ends."""


class Stopped(Exception):
    """Raised by Stop.guard() when the attempt was stopped."""


class Stop:
    """The stop of one attempt; `event` is what the sandbox watches."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: StopReason | None = None
        self._guards: set[asyncio.Timeout] = set()
        self._is_finishing = False
        self._is_handing_over = False

    def ask(self, reason: StopReason, *, even_finishing: bool = False) -> None:
        """Stop for `reason`; later reasons change nothing.

        Args:
            reason: why.
            even_finishing: also release an attempt whose work is done; otherwise it gets the time it needs to end.
        """
        is_spared = self._is_finishing and reason is StopReason.RELEASED and not even_finishing
        is_late = self._is_handing_over and reason is StopReason.CANCELLED
        if self.reason is not None or is_spared or is_late:
            return
        self.reason = reason
        self.event.set()
        for guard in self._guards:
            guard.reschedule(0)

    def finish(self) -> None:
        """Note that the work is done and only the ending is left: handing over now would discard the work."""
        self._is_finishing = True

    def hand_over(self) -> None:
        """Note that the job goes on in another attempt: it is that one's to cancel, as this one no longer ends it."""
        self._is_handing_over = True

    async def guard[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, but no longer than until a stop.

        Raises:
            Stopped: the stop came first; `work` was cancelled or never begun.
        """
        if self.reason is not None:
            work.close()
            raise Stopped(self.reason)
        try:
            async with asyncio.timeout(None) as limit:
                self._guards.add(limit)
                return await work
        except TimeoutError:
            if limit.expired():
                raise Stopped(self.reason) from None
            raise
        finally:
            self._guards.discard(limit)

"""Why an attempt is stopped from outside, and the wait that such a stop cuts short."""

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any


class StopReason(StrEnum):
    """Who wants the attempt to stop. The first reason stands."""

    ENDED = "ended"
    """The record is terminal: cancelled by a user, most often."""

    FENCED = "fenced"
    """Another attempt owns the job: not one more word about it on the bus."""

    RELEASED = "released"
    """This runner gives the job back at once: it drains, or the attempt has no ground to go on upon."""

    FAULT = "fault"
    """This runner gives the job back after a while: it, its machine or the store had a fault."""

    UNWRITABLE = "unwritable"
    """What the attempt has to say can never be written into the record: the job ends."""


class Stopped(Exception):
    """Raised by Stop.guard() when the attempt was stopped meanwhile."""


class Stop:
    """The stop of one attempt; `event` is what the sandbox watches."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: StopReason | None = None
        self._guards: set[asyncio.Timeout] = set()
        self._is_finishing = False

    def ask(self, reason: StopReason, *, even_finishing: bool = False) -> None:
        """Stop for `reason`; later reasons change nothing.

        Args:
            reason: why.
            even_finishing: release also an attempt whose work is done; else it keeps the time it needs for its ending.
        """
        is_spared = self._is_finishing and reason is StopReason.RELEASED and not even_finishing
        if self.reason is not None or is_spared:
            return
        self.reason = reason
        self.event.set()
        for guard in self._guards:
            guard.reschedule(0)

    def finish(self) -> None:
        """The work is done and only its ending is left: handing it over now would throw it away."""
        self._is_finishing = True

    async def guard[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, but not past a stop.

        Raises:
            Stopped: the stop came first; `work` was cancelled, or not even begun.
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

"""Why an attempt is stopped from outside, and the wait that such a stop cuts short."""

import asyncio
from collections.abc import Awaitable
from enum import StrEnum


class StopReason(StrEnum):
    """Who wants the attempt to stop. The first reason stands."""

    ENDED = "ended"
    """The record is terminal: cancelled by a user, most often."""

    FENCED = "fenced"
    """Another attempt owns the job: not one more word about it on the bus."""

    RELEASED = "released"
    """This runner gives the job back: it drains, or it lost the store."""


class Stopped(Exception):  # noqa: N818 - a control flow of ours, not an error
    """Raised by Stop.guard() when the attempt was stopped meanwhile."""


class Stop:
    """The stop of one attempt; `event` is what the sandbox watches."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: StopReason | None = None
        self._guards: set[asyncio.Timeout] = set()
        self._is_finishing = False

    def ask(self, reason: StopReason) -> None:
        """Stop for `reason`; later reasons change nothing. A finishing attempt is not released any more."""
        if self.reason is not None or (self._is_finishing and reason is StopReason.RELEASED):
            return
        self.reason = reason
        self.event.set()
        for guard in self._guards:
            guard.reschedule(0)

    def finish(self) -> None:
        """The work is done and only its ending is left: handing it over now would throw it away."""
        self._is_finishing = True

    async def guard[T](self, work: Awaitable[T]) -> T:
        """Wait for `work`, but not past a stop.

        Raises:
            Stopped: the stop came first; `work` was cancelled.
        """
        try:
            async with asyncio.timeout(0 if self.reason else None) as limit:
                self._guards.add(limit)
                return await work
        except TimeoutError:
            if limit.expired():
                raise Stopped(self.reason) from None
            raise
        finally:
            self._guards.discard(limit)

"""The subscriptions to live messages: one per job while few are watched, and a single one for all jobs above that.

A thousand subscriptions cost more than one and a look-up; one for all jobs also receives the messages of jobs without
watchers. The open subscriptions follow the jobs watched at that moment, so that joins and leaves cannot get in each
other's way.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack

from forgesyte_chassis.bus import Live, LiveMessage
from forgesyte_contracts.ids import JobId


class LiveSubscriptions:
    """The open subscriptions.

    Args:
        live: the live subjects.
        handler: called with each message; with one subscription for all jobs, also with those of unwatched jobs.
        wanted: returns the jobs that are watched now.
        most_single: above this number of jobs one subscription receives all; below half of it each has its own again.
    """

    def __init__(
        self,
        live: Live,
        handler: Callable[[JobId, LiveMessage], None],
        wanted: Callable[[], Collection[JobId]],
        *,
        most_single: int,
    ) -> None:
        self._live = live
        self._handler = handler
        self._wanted = wanted
        self._most_single = most_single
        self._lock = asyncio.Lock()
        self._single: dict[JobId, AsyncExitStack] = {}
        self._all: AsyncExitStack | None = None

    @property
    def takes_all(self) -> bool:
        """Whether one subscription receives the messages of all jobs."""
        return self._all is not None

    def hears(self, job_id: JobId) -> bool:
        """Whether the messages of this job are received."""
        return self.takes_all or job_id in self._single

    async def settle(self) -> None:
        """Open the subscriptions that are wanted and close the others.

        Raises:
            BusUnavailable: a subscription could not be opened; the next call retries.
        """
        async with self._lock:
            limit = self._most_single // 2 if self.takes_all else self._most_single
            if len(self._wanted()) > limit:
                if self._all is None:
                    self._all = await self._open(None)
                await self._close_single(set(self._single))
                return
            for job_id in set(self._wanted()) - set(self._single):
                self._single[job_id] = await self._open(job_id)
            await self._close_single(set(self._single) - set(self._wanted()))
            await self._close_all()

    async def close(self) -> None:
        """Close everything."""
        async with self._lock:
            await self._close_single(set(self._single))
            await self._close_all()

    async def _open(self, job_id: JobId | None) -> AsyncExitStack:
        stack = AsyncExitStack()
        await stack.enter_async_context(self._live.follow(self._handler, job_id))
        return stack

    async def _close_single(self, job_ids: set[JobId]) -> None:
        for job_id in job_ids:
            await self._single.pop(job_id).aclose()

    async def _close_all(self) -> None:
        if self._all is not None:
            stack, self._all = self._all, None
            await stack.aclose()

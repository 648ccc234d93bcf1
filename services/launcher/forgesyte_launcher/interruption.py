"""Work that Ctrl-C ends early, here and in the stack."""

import asyncio
from collections.abc import Awaitable


class Interrupted(Exception):
    """The user pressed Ctrl-C."""


async def unless_stopped[T](stopping: asyncio.Event, work: Awaitable[T]) -> T:
    """Wait for `work`, but cancel it as soon as `stopping` is set.

    Raises:
        Interrupted: `stopping` was set first.
    """
    async with asyncio.TaskGroup() as group:
        working = group.create_task(_as_coroutine(work))
        stopped = group.create_task(stopping.wait())
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        working.cancel()
    if working.cancelled():
        raise Interrupted
    return working.result()


async def _as_coroutine[T](work: Awaitable[T]) -> T:
    return await work

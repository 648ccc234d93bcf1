"""Runs one coroutine beside a block of code and ends it with the block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def beside(coroutine: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run `coroutine` while the block runs; it is cancelled when the block ends.

    What the block raises comes out as it is; when the coroutine raises, the block is cancelled and that comes out.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(coroutine)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise

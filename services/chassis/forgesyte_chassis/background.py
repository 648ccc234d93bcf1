"""Run coroutines beside a block of code and cancel them at its end."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def beside(*coroutines: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run `coroutines` while the block runs; they are cancelled when the block ends.

    Exceptions from the block propagate unchanged; an exception from a coroutine cancels the block and propagates.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise

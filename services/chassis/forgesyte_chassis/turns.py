"""One at a time for each key: of tasks that would do the same thing, each sees what the one before it did."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns[K: Hashable]:
    """A lock for each key of this process, kept for as long as it is held or waited for."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """Return how many keys are in use."""
        return len(self._locks)

    @asynccontextmanager
    async def turn(self, key: K) -> AsyncIterator[None]:
        """Wait for the turn, and have it during the block."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield

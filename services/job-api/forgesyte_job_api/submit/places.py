"""Places for work that takes a core or space in the scratch folder: who waits too long for one is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forgesyte_contracts.problems import Code, ForgeSyteError


class Places:
    """A number of places, each of which is waited for at most `wait_s` seconds."""

    def __init__(self, count: int, *, wait_s: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._wait_s = wait_s

    @asynccontextmanager
    async def place(self, who: str, what: str) -> AsyncIterator[None]:
        """Wait for a place, and have it during the block.

        Args:
            who: waits, as the sentence of a refusal names it: "the upload".
            what: is waited for: "to be probed".

        Raises:
            ForgeSyteError: TOO_MANY_REQUESTS, because the wait was too long.
        """
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            text = f"{who} waited {self._wait_s:g} s {what}; submit it again later"
            raise ForgeSyteError(Code.TOO_MANY_REQUESTS, text) from None
        try:
            yield
        finally:
            self._free.release()

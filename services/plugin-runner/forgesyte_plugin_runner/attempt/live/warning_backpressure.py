"""Lets warnings come as fast as they can be written, so that each stands in a record once.

A record holds the newest warnings, and who watches is told what is new in each record. More of them between two writes
than a record holds, and the first ones would be told to nobody.
"""

import asyncio
from collections.abc import Callable

from forgesyte_contracts.jobs import MAX_WARNINGS, JobRecord
from forgesyte_plugin_runner.attempt.attempt_state import AttemptState

ROOM_LIMIT_S = 1.0
"""How long a warning waits for those before it to be written. While the bus is away one of them waits, and not each."""

UNWRITTEN_MOST = MAX_WARNINGS // 2
"""Half of what a record holds: nothing is lost when a watcher sees only every second write."""


class WarningBackpressure:
    """How fast warnings of one attempt may come.

    Args:
        ledger: knows how many there are.
        known: gives the record as it was last written.
    """

    def __init__(self, ledger: AttemptState, known: Callable[[], JobRecord]) -> None:
        self._ledger = ledger
        self._known = known
        self._written = asyncio.Event()
        self._is_kept = True

    def written(self) -> None:
        """The record was written."""
        self._is_kept = True
        self._written.set()

    async def let_through(self) -> None:
        """Wait until there is room for one more, a moment at most."""
        if not self._is_kept:
            return
        try:
            async with asyncio.timeout(ROOM_LIMIT_S):
                while self._unwritten() >= UNWRITTEN_MOST:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            self._is_kept = False

    def _unwritten(self) -> int:
        known = self._known()
        return self._ledger.warning_count - known.warnings_dropped - len(known.warnings)

"""Lets warnings come only as fast as they can be written, so that each appears in a record at least once.

A record holds the newest warnings, and watchers receive what is new in each record. If more warnings came between two
writes than a record holds, watchers would never see the first ones.
"""

import asyncio
from collections.abc import Callable

from forgesyte_contracts.jobs import MAX_WARNINGS, JobRecord
from forgesyte_plugin_runner.attempt.state.attempt_warnings import AttemptWarnings

ROOM_LIMIT_S = 1.0
"""How long a warning waits for earlier ones to be written. While the bus is unavailable only the first one waits."""

UNWRITTEN_MOST = MAX_WARNINGS // 2
"""Half of what a record holds: a watcher that sees only every second write misses nothing."""


class WarningBackpressure:
    """Limits how fast the warnings of one attempt come.

    Args:
        warnings: all of the attempt's.
        known: returns the record as it was last written.
    """

    def __init__(self, warnings: AttemptWarnings, known: Callable[[], JobRecord]) -> None:
        self._warnings = warnings
        self._known = known
        self._written = asyncio.Event()
        self._is_kept = True

    def written(self) -> None:
        """Note that the record was written."""
        self._is_kept = True
        self._written.set()

    async def let_through(self) -> None:
        """Wait until one more warning fits, for at most ROOM_LIMIT_S seconds."""
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
        return self._warnings.count - known.warnings_dropped - len(known.warnings)

"""Rows between the sandbox and the store: bounded, and never dropped.

When the buffer is full put() waits, the pipe of the sandbox fills, and the plugin is held until the store has taken
some rows: back-pressure instead of memory.
"""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from forgesyte_chassis.waiting import is_set_within

SEGMENT_BYTES = 4 << 20
"""A segment ends at this many bytes of JSON, however few rows that is."""

BUFFER_BYTES = 16 << 20
"""Rows beyond this many bytes wait in the sandbox's pipe."""


class BufferedRow(NamedTuple):
    """A row (JSON without a newline), its frame, and when that is shown: microseconds on its container's timeline."""

    frame_index: int
    data: bytes
    time_us: int


@dataclass(slots=True)
class RowBuffer:
    """Rows in frame order.

    Attributes:
        segment_rows: rows that make a segment due.
        buffer_rows: rows the buffer holds before put() waits.
    """

    segment_rows: int = 200
    buffer_rows: int = 2000
    is_closed: bool = False
    _rows: list[BufferedRow] = field(default_factory=list)
    _bytes: int = 0
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        """How many rows wait."""
        return len(self._rows)

    async def put(self, row: BufferedRow) -> bool:
        """Add a row; waits while the buffer is full. Return False if it was closed instead."""
        while self._is_full and not self.is_closed:
            self._room.clear()
            await self._room.wait()
        if self.is_closed:
            return False
        self._rows.append(row)
        self._bytes += len(row.data)
        if self._is_segment:
            self._due.set()
        return True

    def take(self) -> list[BufferedRow]:
        """Remove and return the rows of one segment, oldest first."""
        count, size = 0, 0
        while count < min(len(self._rows), self.segment_rows) and size < SEGMENT_BYTES:
            size += len(self._rows[count].data)
            count += 1
        taken, self._rows = self._rows[:count], self._rows[count:]
        self._bytes -= size
        self._room.set()
        if not self._is_segment and not self.is_closed:
            self._due.clear()
        return taken

    def close(self) -> None:
        """Take no more rows; those in the buffer are due now."""
        self.is_closed = True
        self._due.set()
        self._room.set()

    async def wait_due(self, limit_s: float) -> None:
        """Wait until a segment is full or the buffer is closed, for at most `limit_s` seconds."""
        await is_set_within(self._due, limit_s)

    @property
    def _is_full(self) -> bool:
        return len(self._rows) >= self.buffer_rows or self._bytes >= BUFFER_BYTES

    @property
    def _is_segment(self) -> bool:
        return len(self._rows) >= self.segment_rows or self._bytes >= SEGMENT_BYTES

"""Where a service's time comes from, so that tests can control it.

A Clock answers what time it is: for what is written down and for ages that others are judged by. The limit of a wait
(`asyncio.timeout`, a deadline shared by several calls) goes by the event loop's own time and needs no Clock.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: wall-clock time for what is written down, a monotonic one for durations."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary point; they never go back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary point; they never go back."""
        return time.monotonic()


SYSTEM_CLOCK: Clock = SystemClock()
"""The default wherever a Clock may be passed; it has no state."""

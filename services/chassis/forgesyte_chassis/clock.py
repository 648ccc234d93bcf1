"""Where a service's time comes from, so that tests can hold it in their hands."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: the wall for what is written down, a monotonic one for durations."""

    def now(self) -> datetime:
        """The moment in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary point; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The moment in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary point; never goes back."""
        return time.monotonic()

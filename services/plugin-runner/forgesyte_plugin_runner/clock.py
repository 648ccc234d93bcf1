"""The clocks of a runner, handed in so that tests can hold them.

Durations are taken from the monotonic clock; wall time only goes into records and messages.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Attributes: now, the moment in UTC; monotonic, seconds that never jump."""

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic

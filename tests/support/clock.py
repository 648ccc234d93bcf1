"""A clock that a test turns by hand, where a service takes its own."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
"""The moment at which a HandClock stands until it is turned."""


class HandClock:
    """Both clocks of a service; `passed_s` is how many seconds a test has let pass."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return 1000.0 + self.passed_s

"""The order of live messages, also relative to the record: `<attempt>.<n>`, in the header Fs-Order and in `order`.

>>> parse_order("2.7") > parse_order("1.900")
True
>>> str(LiveOrder(2, 7))
'2.7'
"""

from typing import NamedTuple


class LiveOrder(NamedTuple):
    """The n-th live message of an attempt; n counts all types together, from 1."""

    attempt: int
    n: int

    def __str__(self) -> str:
        return f"{self.attempt}.{self.n}"


NO_ORDER = LiveOrder(0, 0)
"""Below every live message."""


def parse_order(text: str) -> LiveOrder:
    """Read an order; anything else is NO_ORDER, so that a message of unknown order is never shown."""
    attempt, dot, n = text.partition(".")
    if dot and attempt.isdecimal() and n.isdecimal():
        return LiveOrder(int(attempt), int(n))
    return NO_ORDER

"""Whose bytes are parsed when: one client that sends without pause must not keep the loop from the others.

uvicorn parses everything that one read brought in one go: 256 KiB of 6-byte frames or 1-byte chunks take a second. Here
all connections of a port share a small part of each turn of the loop. A connection that needs more is not read any
further, waits in a queue, and goes on when it is its turn; who has just sent something comes before those that had a
turn. An ordinary request fits into the first part and never waits.
What a request or a message makes the application do counts as well, by an estimate: a hundred clients may each send
something small that is dear to answer.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

TURN_S = 0.001
"""How long the connections of a port may parse together in one turn of the loop, in seconds."""

SHARE_S = 0.0005
"""How long one connection may parse before the next one that waits has its turn, in seconds."""

_LEAST_S = 0.00002
"""Less time than this is none: a connection could do nothing in it."""


class Reader(Protocol):
    """A connection that has received bytes."""

    def read_on(self) -> bool:
        """Parse while has_time() of its turns says so; True when more could be parsed now."""
        ...

    def hold(self) -> None:
        """Read nothing more from the network until the bytes that wait are parsed."""
        ...


class ReadTurns:
    """The turns of the connections of one port.

    Args:
        now_s: the clock, monotonic seconds.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._cut: dict[Reader, None] = {}
        self._first: dict[Reader, None] = {}
        self._fresh: dict[Reader, None] = {}
        self._left_s = TURN_S
        self._end_s = 0.0
        self._is_first = False
        self._charged_s = 0.0
        self._round: asyncio.Handle | None = None

    def has_time(self) -> bool:
        """Whether the connection whose turn it is may parse more; the first time it may in any case.

        So no head is cut off from its request because the machine was busy elsewhere.
        """
        is_first, self._is_first = self._is_first, False
        return is_first or self._now_s() < self._end_s

    def charge(self, seconds: float) -> None:
        """Count what the application will have to do for what was just parsed: fewer others have their turn with it."""
        self._charged_s += seconds

    def read(self, reader: Reader, *, is_first: bool = False) -> None:
        """Let a connection parse what it has just received: now if there is time, else before those that had a turn.

        With `is_first` it comes before all others.
        """
        if reader in self._cut or reader in self._fresh or reader in self._first:
            return
        if self._left_s > _LEAST_S:
            self._left_s -= self._give(reader, self._left_s)
            self._schedule()
        else:
            reader.hold()
            (self._first if is_first else self._fresh)[reader] = None
            self._schedule()

    def defer(self, reader: Reader) -> None:
        """Let a connection parse more when its turn comes, behind all others that wait."""
        reader.hold()
        self._cut.setdefault(reader)
        self._schedule()

    def forget(self, reader: Reader) -> None:
        """Forget a connection that is gone."""
        for queue in (self._first, self._fresh, self._cut):
            queue.pop(reader, None)

    def _schedule(self) -> None:
        if self._round is None:
            self._round = asyncio.get_running_loop().call_soon(self._go_round)

    def _go_round(self) -> None:
        self._round = None
        self._left_s = TURN_S
        left_s = TURN_S
        for queue in (self._first, self._fresh, self._cut):
            # A share at least is theirs, or a crowd in the queue before would keep them waiting.
            left_s = self._share_out(queue, max(left_s, SHARE_S))
        if self._first or self._fresh or self._cut:
            self._schedule()

    def _share_out(self, queue: dict[Reader, None], left_s: float) -> float:
        """Give those in a queue their shares, one after the other; return the seconds that are left."""
        while queue and left_s > _LEAST_S:
            reader = next(iter(queue))
            del queue[reader]
            left_s -= self._give(reader, SHARE_S)
        return left_s

    def _give(self, reader: Reader, seconds: float) -> float:
        """Let a connection parse; return the seconds that it cost."""
        begun_s = self._now_s()
        self._end_s = begun_s + seconds
        self._is_first = True
        self._charged_s = 0.0
        try:
            if reader.read_on():
                self.defer(reader)
        finally:
            self._end_s = 0.0
            self._is_first = False
        return self._now_s() - begun_s + self._charged_s

"""Lets sockets in one at a time, with a rest after each: to open one costs several times what an answer costs.

A crowd that opens sockets and leaves again would otherwise be ahead of everyone who only asks something, because each
of its requests is as new as theirs. Addresses take turns, so the crowd of one does not keep out the client of another.

Rejected: a rate per address, because all clients behind a proxy have the proxy's; refusals at once, because a refused
client comes back at once, and a refusal costs half as much as a socket.
"""

import asyncio
from time import monotonic
from typing import Protocol

REST_S = 0.005
"""Seconds from one socket to the next: about three times what one costs, so that others have most of the time."""


class Visitor(Protocol):
    """A connection whose client asked for a socket."""

    client: tuple[str, int] | None

    def let_in(self) -> None:
        """Open the socket."""
        ...

    def give_up_socket(self) -> None:
        """Refuse it: the turn did not come in time."""
        ...


class Handshakes:
    """Those of one port."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[Visitor, float]] = {}
        self._rest: asyncio.TimerHandle | None = None

    def ask(self, visitor: Visitor) -> None:
        """Let a client in, now or when it is its turn."""
        if self._rest is None:
            self._let_in(visitor)
        else:
            self._waiting.setdefault(_address_of(visitor), {})[visitor] = monotonic()

    def forget(self, visitor: Visitor) -> None:
        """Forget a connection that is gone."""
        address = _address_of(visitor)
        if queue := self._waiting.get(address):
            queue.pop(visitor, None)
            if not queue:
                del self._waiting[address]

    def waiting_since(self, moment_s: float) -> list[Visitor]:
        """Return those that have waited since before a moment."""
        return [one for queue in self._waiting.values() for one, since_s in queue.items() if since_s <= moment_s]

    def _let_in(self, visitor: Visitor) -> None:
        self._rest = asyncio.get_running_loop().call_later(REST_S, self._go_on)
        visitor.let_in()

    def _go_on(self) -> None:
        self._rest = None
        if not self._waiting:
            return
        address, queue = next(iter(self._waiting.items()))
        visitor = next(iter(queue))
        del queue[visitor], self._waiting[address]
        if queue:
            self._waiting[address] = queue  # behind the other addresses
        self._let_in(visitor)


def _address_of(visitor: Visitor) -> str:
    return visitor.client[0] if visitor.client else ""

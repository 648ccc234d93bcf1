"""What the connections of one port share: how many there may be, which of them may go, and whose turn it is.

No connection of one client may cost another client its own: at a limit the connection goes that has waited longest for
its client's request, and only where none waits is the newcomer refused. Rejected: to stop accepting, because the
connections in the kernel's queue, an honest one among them, would then wait without an answer.
"""

import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice
from time import monotonic
from typing import Any, Protocol

import structlog
from uvicorn.server import ServerState

from forgesyte_chassis.settings import ConnectionSettings

from .handshakes import Handshakes, Visitor
from .read_turns import ReadTurns

OWN_DESCRIPTORS = 256
"""Descriptors that stay free for files, the bus and children, whatever the limits say."""

MOST_REFUSING = 32
"""How many connections beyond the limit may wait for their 503; one more gets it before it has asked."""

REFUSING_S = 1.0
"""Seconds until a connection beyond the limit is closed although it has not asked."""

MOST_HEADS_PER_SWEEP = 100
"""How many unfinished heads are answered in one go: a thousand would take the loop a tenth of a second."""

_WARN_EVERY_S = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of a port.

    Attributes:
        connections: how many connections may be open at once.
        per_address: how many of them may come from one address; 0 switches this limit off.
        head_s: seconds that a client has for the head of a request.
        idle_s: seconds that a connection may wait for its next request. The default is longer than clients and proxies
            keep theirs, which is often 5 or 60: when the server closes first, a request may meet a closing connection.
        stalled_s: seconds after which a response that its client does not read is given up.
    """

    connections: int = 4000
    per_address: int = 2000
    head_s: float = 10.0
    idle_s: int = 75
    stalled_s: float = 60.0

    @classmethod
    def of(cls, settings: ConnectionSettings) -> "ConnectionLimits":
        """Return the limits that the settings name."""
        return cls(settings.max_connections, settings.max_connections_per_address, settings.head_timeout_s)

    def within_descriptors(self) -> "ConnectionLimits":
        """Return limits that this process has the descriptors for.

        It asks the kernel for as many as it needs, as far as it may have them; the log says where that is not enough.
        """
        needed = self.connections + OWN_DESCRIPTORS
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < needed and soft != resource.RLIM_INFINITY:
            soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft == resource.RLIM_INFINITY or soft >= needed:
            return self
        most = max(soft - OWN_DESCRIPTORS, OWN_DESCRIPTORS // 2)
        log.info("fewer connections than set: not enough file descriptors", connections=most, descriptors=soft)
        return replace(self, connections=most)


class PortConnection(Visitor, Protocol):
    """One HTTP connection, as the state of its port sees it."""

    transport: Any

    def give_up_head(self) -> None:
        """End it: the head of its request took too long."""
        ...

    def make_room(self) -> None:
        """End it, because it waits for its client's request and others need the place."""
        ...


class PortState(ServerState):
    """The state of one port; uvicorn hands it to every connection as `server_state`.

    Attributes:
        limits: how many connections there may be.
        turns: whose bytes are parsed when.
        handshakes: who may open a socket when.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self.turns = ReadTurns()
        self.handshakes = Handshakes()
        self._addresses: dict[Any, str] = {}
        self._of_address: Counter[str] = Counter()
        self._half_open: dict[PortConnection, float] = {}
        self._idle: dict[PortConnection, None] = {}
        self._refusing: dict[PortConnection, float] = {}
        self._stalled: dict[PortConnection, tuple[float, int]] = {}
        self._warned_s = -_WARN_EVERY_S

    def admit(self, newcomer: PortConnection) -> bool:
        """Make room for a connection that was just accepted; False when there is none: it is to be refused."""
        self.await_head(newcomer)
        self.enter(newcomer)
        if len(self.connections) > self.limits.connections:
            return self._make_room(newcomer, chain(self._half_open, self._idle), "connections")
        address = self._addresses.get(newcomer)
        if 0 < self.limits.per_address < self._of_address[address or ""]:
            neighbours = (one for one in chain(self._half_open, self._idle) if self._addresses.get(one) == address)
            return self._make_room(newcomer, neighbours, "connections of one address")
        return True

    def enter(self, connection: Any) -> None:  # noqa: ANN401 - one of uvicorn's classes, or ours
        """Count a connection among those of its address."""
        if connection.client is not None:
            self._addresses[connection] = address = connection.client[0]
            self._of_address[address] += 1

    def leave(self, connection: Any) -> None:  # noqa: ANN401 - one of uvicorn's classes, or ours
        """Count a connection no longer; further calls change nothing."""
        if address := self._addresses.pop(connection, None):
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def await_head(self, connection: PortConnection) -> None:
        """Note that a connection waits for the rest of a request's head."""
        self._idle.pop(connection, None)
        self._half_open.setdefault(connection, monotonic())

    def be_idle(self, connection: PortConnection) -> None:
        """Note that a connection waits for its next request."""
        self._half_open.pop(connection, None)
        self._idle.setdefault(connection)

    def be_busy(self, connection: PortConnection) -> None:
        """Note that a connection has a request, or is no longer an HTTP connection."""
        self._half_open.pop(connection, None)
        self._idle.pop(connection, None)

    def refuse(self, connection: PortConnection) -> bool:
        """Note that a connection is to be refused; True when it may wait for its request first."""
        self.be_busy(connection)
        if len(self._refusing) >= MOST_REFUSING:
            return False
        self._refusing[connection] = monotonic()
        return True

    def be_stalled(self, connection: PortConnection) -> None:
        """Note that a client does not read what it is sent."""
        self._stalled[connection] = (monotonic(), connection.transport.get_write_buffer_size())

    def go_on(self, connection: PortConnection) -> None:
        """Note that a client reads again."""
        self._stalled.pop(connection, None)

    def forget(self, connection: PortConnection) -> None:
        """Forget a connection that is gone."""
        self.be_busy(connection)
        self.leave(connection)
        self._refusing.pop(connection, None)
        self._stalled.pop(connection, None)
        self.handshakes.forget(connection)

    def sweep(self) -> None:
        """End the connections whose time is over; called ten times a second."""
        now_s = monotonic()
        for connection in islice(_older_than(now_s - self.limits.head_s, self._half_open), MOST_HEADS_PER_SWEEP):
            self._half_open.pop(connection)
            connection.give_up_head()
        for visitor in self.handshakes.waiting_since(now_s - self.limits.head_s):
            visitor.give_up_socket()
        for connection in _older_than(now_s - REFUSING_S, self._refusing):
            connection.transport.abort()
        for connection, (since_s, waiting) in tuple(self._stalled.items()):
            left = connection.transport.get_write_buffer_size()
            if left < waiting:
                self._stalled[connection] = (now_s, left)
            elif now_s - since_s > self.limits.stalled_s:
                connection.transport.abort()

    def _make_room(self, newcomer: PortConnection, candidates: Iterable[PortConnection], limit: str) -> bool:
        self._warn(limit)
        for oldest in candidates:
            if oldest is not newcomer:
                self.forget(oldest)
                self.connections.discard(oldest)
                oldest.make_room()
                return True
        return False

    def _warn(self, limit: str) -> None:
        now_s = monotonic()
        if now_s - self._warned_s >= _WARN_EVERY_S:
            self._warned_s = now_s
            log.warning("limit reached", limit=limit, open=len(self.connections))


def _older_than(moment_s: float, since: dict[PortConnection, float]) -> list[PortConnection]:
    """Return the connections that have been there since before a moment; `since` is in the order of time."""
    old: list[PortConnection] = []
    for connection, since_s in since.items():
        if since_s > moment_s:
            break
        old.append(connection)
    return old

"""The dispatcher: who is connected, who watches what, and how a message reaches them.

Dispatch is local and in one turn of the loop: a message is rendered once and handed to each client's outbox, and no
client can make it wait.
"""

from collections.abc import Callable

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import CloseCode
from forgesyte_realtime_gateway.messages.message import Message, Room
from forgesyte_realtime_gateway.metric_labels import Reason
from forgesyte_realtime_gateway.metrics import GatewayMetrics

from .client import Client


class SessionFull(ForgeSyteError):
    """The session has as many connections as it may."""


class ConnectionManager:
    """All connections of this gateway."""

    def __init__(self, metrics: GatewayMetrics, *, session_capacity: int, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._capacity = session_capacity
        self._clock = clock
        self._clients: dict[str, Client] = {}
        self._sessions: dict[str, set[str]] = {}
        self._rooms: dict[Room, dict[str, Client]] = {}
        self.is_closing = False

    def connect(self, client: Client) -> None:
        """Take a client in.

        Raises:
            SessionFull: its session has no place left.
        """
        session_id = client.facts.session_id
        if session_id is not None:
            members = self._sessions.get(session_id, set())
            if len(members) >= self._capacity:
                text = f"The session has {len(members)} connections, as many as it may. Close one of them first."
                raise SessionFull(Code.TOO_MANY_REQUESTS, text)
            self._sessions[session_id] = members | {client.id}
        self._clients[client.id] = client
        self._metrics.connections.labels(client.facts.transport).inc()
        if self.is_closing:
            client.close(CloseCode.NORMAL, Reason.SHUTDOWN)

    def disconnect(self, client_id: str) -> bool:
        """Forget a client and what it watched; False when it is not known."""
        client = self._clients.pop(client_id, None)
        if client is None:
            return False
        client.outbox.close()
        for job_id in client.jobs:
            self.leave(client, Room(job_id, client.dialect))
        if (session_id := client.facts.session_id) is not None:
            self._sessions[session_id] = self._sessions[session_id] - {client_id}
            if not self._sessions[session_id]:
                del self._sessions[session_id]
        self._metrics.connections.labels(client.facts.transport).dec()
        self._metrics.disconnects.labels(client.reason).inc()
        if client.reason is Reason.SLOW:
            self._metrics.evicted.inc()
        return True

    def broadcast(self, message: Message, room: Room | None = None) -> int:
        """Hand a message to everybody in the room, or to everybody at all; gives how many that are."""
        clients = self._clients if room is None else self._rooms.get(room, {})
        for client in clients.values():
            client.put(message)
        if clients:
            self._metrics.events.labels(message.type).inc(len(clients))
            self._metrics.lag.observe(max(self._clock() - message.made_s, 0.0))
        return len(clients)

    def send_to(self, client_id: str, message: Message) -> bool:
        """Hand a message to one client; False when it is not connected."""
        client = self._clients.get(client_id)
        if client is None:
            return False
        client.put(message)
        self._metrics.events.labels(message.type).inc()
        return True

    def is_connected(self, client_id: str) -> bool:
        """Whether a client of this id is connected."""
        return client_id in self._clients

    def get_active_connections(self) -> list[str]:
        """The ids of all clients, oldest first."""
        return list(self._clients)

    def clients(self) -> tuple[Client, ...]:
        """All clients, oldest first."""
        return tuple(self._clients.values())

    def enter(self, client: Client, room: Room) -> None:
        """Let a connected client hear what is said in a room from now on."""
        if client.id in self._clients:
            self._rooms.setdefault(room, {})[client.id] = client

    def leave(self, client: Client, room: Room) -> None:
        """Let it hear no more of that."""
        members = self._rooms.get(room, {})
        members.pop(client.id, None)
        if not members:
            self._rooms.pop(room, None)

    def has_members(self, room: Room) -> bool:
        """Whether anybody is in the room."""
        return room in self._rooms

    def close_all(self) -> None:
        """Close every connection with 1000, and every later one at once."""
        self.is_closing = True
        for client in self.clients():
            client.close(CloseCode.NORMAL, Reason.SHUTDOWN)

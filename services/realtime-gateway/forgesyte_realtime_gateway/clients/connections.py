"""The dispatcher: which clients are connected, which jobs they watch, and how a message reaches them.

Dispatch is local and takes one turn of the loop: a message is rendered once and handed to each client's outbox, and no
client can delay it.
"""

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import CloseCode
from forgesyte_realtime_gateway.messages.message import Message, Room
from forgesyte_realtime_gateway.metric_labels import Reason
from forgesyte_realtime_gateway.metrics import GatewayMetrics

from .client import Client


class SessionFull(ForgeSyteError):
    """The session already has the most connections it may have."""


class ConnectionManager:
    """All connections of this gateway."""

    def __init__(self, metrics: GatewayMetrics, *, session_capacity: int, clock: Clock) -> None:
        self._metrics = metrics
        self._capacity = session_capacity
        self._monotonic_s = clock.monotonic_s
        self._clients: dict[str, Client] = {}
        self._sessions: dict[str, set[str]] = {}
        self._rooms: dict[Room, dict[str, Client]] = {}
        self.is_closing = False

    def connect(self, client: Client) -> None:
        """Add a client.

        Raises:
            SessionFull: its session already has the most connections it may have.
        """
        session_id = client.facts.session_id
        if session_id is not None:
            members = self._sessions.get(session_id, set())
            if len(members) >= self._capacity:
                text = f"The session already has {len(members)} connections, the most it may have. Close one first."
                raise SessionFull(Code.TOO_MANY_REQUESTS, text)
            self._sessions[session_id] = members | {client.id}
        self._clients[client.id] = client
        self._metrics.connections.labels(client.facts.transport).inc()
        if self.is_closing:
            client.close(CloseCode.NORMAL, Reason.SHUTDOWN)

    def disconnect(self, client_id: str) -> bool:
        """Forget a client and leave its rooms; False when it is not connected."""
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
        """Hand a message to all clients, or to those in a room, and return how many they are."""
        clients = self._clients if room is None else self._rooms.get(room, {})
        for client in clients.values():
            client.put(message)
        if clients:
            self._metrics.events.labels(message.type).inc(len(clients))
            self._metrics.lag.observe(max(self._monotonic_s() - message.made_s, 0.0))
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
        """Whether a client with this id is connected."""
        return client_id in self._clients

    def get_active_connections(self) -> list[str]:
        """Return the ids of all clients, oldest first."""
        return list(self._clients)

    def clients(self) -> tuple[Client, ...]:
        """Return all clients, oldest first."""
        return tuple(self._clients.values())

    def enter(self, client: Client, room: Room) -> None:
        """Send a connected client the messages of a room from now on."""
        if client.id in self._clients:
            self._rooms.setdefault(room, {})[client.id] = client

    def leave(self, client: Client, room: Room) -> None:
        """Send it no more messages of a room."""
        members = self._rooms.get(room, {})
        members.pop(client.id, None)
        if not members:
            self._rooms.pop(room, None)

    def has_members(self, room: Room) -> bool:
        """Whether any client is in the room."""
        return room in self._rooms

    def close_all(self) -> None:
        """Close every connection with 1000, and each later one as soon as it connects."""
        self.is_closing = True
        for client in self.clients():
            client.close(CloseCode.NORMAL, Reason.SHUTDOWN)

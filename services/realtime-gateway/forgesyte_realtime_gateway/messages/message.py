"""A message on its way to many clients: serialised once, rendered once for each kind of connection.

What a client gets is the same object for all: an ASGI event that nobody changes.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from forgesyte_contracts.realtime import MessageType

Event = dict[str, Any]
"""An ASGI event."""

COALESCED = frozenset(
    {MessageType.PROGRESS, MessageType.PLUGIN_STATUS, MessageType.FRAME, MessageType.PARTIAL_RESULT, MessageType.PING}
)
"""The types of which only the newest counts."""


class Dialect(StrEnum):
    """What a connection speaks: envelopes, or the flat events of the older socket."""

    ENVELOPE = "envelope"
    FLAT = "flat"


class Room(NamedTuple):
    """Everybody who watches a job in one dialect."""

    job_id: str
    dialect: Dialect


class Slot(NamedTuple):
    """Where the newest of its kind waits for a slow client."""

    job_id: str | None
    type: MessageType


class Message:
    """One message.

    Args:
        type: its type; a flat event goes as what it is closest to.
        body: JSON without line breaks.
        job_id: the job it is about.
        seq: the record's revision, on the last message of what was made from one revision.
        must_arrive: whether it may not be passed over for a newer one.
        ends_job: whether it is the last message about the job.
        flushes: whether progress that waits is sent before the ending instead of being dropped.
        made_s: when the news arrived here, monotonic seconds.
    """

    __slots__ = (
        "_socket", "_stream", "body", "ends_job", "flushes", "job_id", "made_s", "must_arrive", "seq", "slot", "type",
    )  # fmt: skip

    def __init__(
        self,
        type: MessageType,  # noqa: A002  the contract's word
        body: bytes,
        *,
        job_id: str | None = None,
        seq: int | None = None,
        must_arrive: bool = True,
        ends_job: bool = False,
        flushes: bool = False,
        made_s: float = 0.0,
    ) -> None:
        self.type = type
        self.body = body
        self.job_id = job_id
        self.seq = seq
        self.must_arrive = must_arrive
        self.ends_job = ends_job
        self.flushes = flushes
        self.made_s = made_s
        self.slot = Slot(job_id, type)
        self._socket: Event | None = None
        self._stream: Event | None = None

    @property
    def size_bytes(self) -> int:
        """How much it weighs while it waits."""
        return len(self.body)

    @property
    def socket_event(self) -> Event:
        """As a WebSocket text message."""
        if self._socket is None:
            self._socket = {"type": "websocket.send", "text": self.body.decode()}
        return self._socket

    @property
    def stream_event(self) -> Event:
        """As a server-sent event; a ping is a comment, because nobody can answer it."""
        if self._stream is None:
            self._stream = {"type": "http.response.body", "body": self._stream_bytes(), "more_body": True}
        return self._stream

    def _stream_bytes(self) -> bytes:
        if self.type is MessageType.PING:
            return b": ping\n\n"
        # A line break inside would end the event; JSON has one between tokens at most, where a space means the same.
        data = self.body.replace(b"\r", b" ").replace(b"\n", b" ")
        head = b"" if self.seq is None else b"id: %d\n" % self.seq
        return b"%sdata: %s\n\n" % (head, data)

"""A message on its way to many clients: serialised once, and rendered once for each kind of connection.

All clients are sent the same object: an ASGI event that is never changed.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.realtime import ErrorDetails, ErrorPayload, MessageType, envelope

Event = dict[str, Any]
"""An ASGI event."""

COALESCED = frozenset(
    {MessageType.PROGRESS, MessageType.PLUGIN_STATUS, MessageType.FRAME, MessageType.PARTIAL_RESULT, MessageType.PING}
)
"""The types of which only the newest message counts."""


class Dialect(StrEnum):
    """The form of a connection's messages: envelopes, or the flat events of the older socket."""

    ENVELOPE = "envelope"
    FLAT = "flat"


class Room(NamedTuple):
    """The clients that watch one job in one dialect."""

    job_id: str
    dialect: Dialect


class Slot(NamedTuple):
    """Where the newest message of a job and type waits for a slow client."""

    job_id: str | None
    type: MessageType


class Message:
    """One message.

    Args:
        type: its type; a flat event takes the type closest to it.
        body: JSON without line breaks.
        job_id: the job it is about.
        seq: the record's revision, on the last message made from that revision.
        must_arrive: whether it must be delivered even when a newer message exists.
        ends_job: whether it is the last message about the job.
        flushes: whether waiting progress is sent before the ending instead of being dropped.
        made_s: when it was made here, monotonic seconds.
    """

    __slots__ = (
        "_socket", "_stream", "body", "ends_job", "flushes", "job_id", "made_s", "must_arrive", "seq", "slot", "type",
    )  # fmt: skip

    def __init__(
        self,
        type: MessageType,  # noqa: A002  the contract's name for it
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
        """The bytes it takes up while it waits."""
        return len(self.body)

    @property
    def socket_event(self) -> Event:
        """The message as a WebSocket text event."""
        if self._socket is None:
            self._socket = {"type": "websocket.send", "text": self.body.decode()}
        return self._socket

    @property
    def stream_event(self) -> Event:
        """The message as a server-sent event; a ping becomes a comment, because a stream cannot be answered."""
        if self._stream is None:
            self._stream = {"type": "http.response.body", "body": self._stream_bytes(), "more_body": True}
        return self._stream

    def _stream_bytes(self) -> bytes:
        if self.type is MessageType.PING:
            return b": ping\n\n"
        # A line break would end the event; in JSON it can stand only between tokens, where a space means the same.
        data = self.body.replace(b"\r", b" ").replace(b"\n", b" ")
        head = b"" if self.seq is None else b"id: %d\n" % self.seq
        return b"%sdata: %s\n\n" % (head, data)


def error_message(code: Code, text: str, now_s: float, *, job_id: str | None = None) -> Message:
    """Make the error message that answers a request which cannot be served.

    Args:
        code: what went wrong.
        text: what was expected, what was found, and what to do next.
        now_s: monotonic seconds.
        job_id: the job it is about, if any.
    """
    details = ErrorDetails(error_code=code.value, message=text)
    payload = ErrorPayload(job_id=job_id, error=CODE_FACTS[code].title, details=details)
    return Message(MessageType.ERROR, envelope(payload), job_id=job_id, made_s=now_s)

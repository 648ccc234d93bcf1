"""uvicorn's HTTP protocol, adapted for ports that strangers reach.

A connection parses in turns (read_turns.py), its client has a limited time for the head of a request (port_state.py),
and what HTTP itself rules out is answered with a problem document and a close.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from .port_state import PortState
from .problems import problem_of_status
from .read_turns import ReadTurns

MAX_HEAD_BYTES = 64 * 1024
"""The longest head of a request, in bytes: names, values and the address with its query."""

MAX_HEAD_LINES = 256
"""The most lines of a head. Each costs several microseconds to check, so their number is limited beside their bytes."""

SMALL_CHUNKS, SMALL_CHUNK_BYTES = 10_000, 256
"""After so many chunks those of a body must have this many bytes on average: each costs as much as a large one."""

_REQUEST_S = 0.0005
"""What a request costs the application at least, in seconds."""

_HEALTH = tuple(b"%s %s " % (method, path) for method in (b"GET", b"HEAD") for path in (b"/health", b"/v1/health"))
"""How a question for health begins, which comes before all others that wait."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_BOTH = frozenset((b"content-length", b"transfer-encoding"))


class HttpProtocol(H11Protocol):
    """One connection; HttpServer makes it."""

    server_state: PortState

    def __init__(
        self,
        config: Config,
        server_state: PortState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._turns = server_state.turns
        self.conn: _MeteredConnection = _MeteredConnection(self._turns)
        self.flow: _HeldFlow
        self._is_refused = False
        self._wanted_socket: h11.Request | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place among the connections of the port, or be refused."""
        super().connection_made(transport)
        self.flow = _HeldFlow(transport)
        if not self.server_state.admit(self):
            self._is_refused = True
            if not self.server_state.refuse(self):
                self._answer_full()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the place to others."""
        self.server_state.forget(self)
        self._turns.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, as far as there is time."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if self._is_refused:
            self._answer_full()
            return
        is_first = data.startswith(_HEALTH) and self.conn.is_between_requests
        self.conn.receive_data(data)
        if self._wanted_socket is None:
            self._turns.read(self, is_first=is_first)
        else:
            self.hold()  # frames already; the socket will parse them

    def read_on(self) -> bool:
        """Parse what was received while there is time; True when more could be parsed now."""
        if self.transport.is_closing():
            return False
        self.conn.is_cut = False
        self.handle_events()
        if self.conn.is_cut:
            return True
        self.flow.release()
        if self.conn.is_in_head:
            self.server_state.await_head(self)
        elif self.conn.their_state is not h11.IDLE:
            self.server_state.be_busy(self)
        return False

    def hold(self) -> None:
        """Read nothing more from the network until the bytes that wait are parsed."""
        self.flow.hold()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.is_cut:
            self._turns.defer(self)
        elif self.conn.their_state is h11.IDLE and not self.conn.is_in_head:
            self.server_state.be_idle(self)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Open a socket when it is this client's turn."""
        self.server_state.be_busy(self)
        self._wanted_socket = event
        self.server_state.handshakes.ask(self)

    def let_in(self) -> None:
        """Hand the connection over to the protocol that speaks WebSocket, with what the client sent behind its head."""
        event, self._wanted_socket = self._wanted_socket, None
        if event is None or self.transport.is_closing():
            return
        self.server_state.forget(self)
        early, _ = self.conn.trailing_data
        self.flow.release()
        super().handle_websocket_upgrade(event)
        if early and not self.transport.is_closing():
            cast("asyncio.Protocol", self.transport.get_protocol()).data_received(early)

    def give_up_socket(self) -> None:
        """Refuse a socket whose turn did not come in time."""
        self.server_state.handshakes.forget(self)
        self._wanted_socket = None
        text = "The service is asked for more sockets than it can open. Try again later."
        self._answer(HTTPStatus.SERVICE_UNAVAILABLE, text)

    def shutdown(self) -> None:
        """End the connection when its answer is sent; one that waits for a socket gets none."""
        if self._wanted_socket is None:
            super().shutdown()
        else:
            self.give_up_socket()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        super().pause_writing()
        self.server_state.be_stalled(self)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self.server_state.go_on(self)

    def give_up_head(self) -> None:
        """End the connection: the head of its request took too long."""
        if self.conn.is_in_head:
            limit_s = self.server_state.limits.head_s
            text = f"The head of the request was not complete after {limit_s:g} s. Send it at once."
            self._answer(HTTPStatus.REQUEST_TIMEOUT, text)
        else:
            self.transport.abort()  # opened in advance and never used: there is nothing to answer

    def make_room(self) -> None:
        """End the connection, because others need its place."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, and close; one that was answered before its body went wrong only ends."""
        if self.conn.is_in_body and self.cycle is not None and self.cycle.response_complete:
            self.transport.close()
        else:
            self._answer(*self.conn.fault)

    def _answer_full(self) -> None:
        text = "The service has as many connections as it may have. Close those that you do not need, or try again."
        self._answer(HTTPStatus.SERVICE_UNAVAILABLE, text)

    def _answer(self, status: int, text: str) -> None:
        """Answer outside the state machine, which may be in any state by now, and close.

        Where a response has begun there is no room for another one: then the connection ends, and the client sees an
        unfinished response.
        """
        cycle = self.cycle
        is_open = cycle is not None and not cycle.response_complete
        if is_open:
            cycle.disconnected = True
            cycle.message_event.set()
        if not (is_open and cycle.response_started):
            self.transport.write(_bytes_of(status, text))
        self.transport.close()


class _MeteredConnection(h11.Connection):
    """h11's side of a connection: tells of no further event when the connection's time is over.

    Attributes:
        is_cut: whether it stopped for the sake of time.
        is_in_head: whether a request has begun whose head is not complete.
        is_in_body: whether there is a request whose body is not complete.
        fault: the status and the sentence for what was not HTTP.
    """

    def __init__(self, turns: ReadTurns) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self._turns = turns
        self.is_cut = False
        self.is_in_head = False
        self.is_in_body = False
        self._chunks = 0
        self._body_bytes = 0
        self.fault: tuple[int, str] = (HTTPStatus.BAD_REQUEST, "This is not HTTP/1.1.")

    @property
    def is_between_requests(self) -> bool:
        """Whether what comes next is the beginning of a request."""
        return self.their_state is h11.IDLE and not self.trailing_data[0]

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return the next event; NEED_DATA also when there is no time for it.

        Raises:
            h11.RemoteProtocolError: what was received is not HTTP, or not HTTP that is safe to serve; `fault` says why.
        """
        if not self._turns.has_time():
            # In a body an event may be due without a byte of it: its end.
            self.is_cut = self.their_state is h11.SEND_BODY or bool(self.trailing_data[0])
            return h11.NEED_DATA
        try:
            is_head = self.their_state is h11.IDLE
            if is_head:
                self._check_head(self.trailing_data[0])
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.fault = (error.error_status_hint, f"This is not a valid HTTP/1.1 request: {error}.")
            raise
        self.is_in_head = is_head and event is h11.NEED_DATA and bool(self.trailing_data[0])
        if isinstance(event, h11.Request):
            self._begin(event)
        elif isinstance(event, h11.Data):
            self._count(event)
        elif isinstance(event, h11.EndOfMessage):
            self.is_in_body = False
        return event

    def _begin(self, request: h11.Request) -> None:
        if (b"upgrade", b"websocket") not in request.headers:  # a socket is opened in a turn of its own
            self._turns.charge(_REQUEST_S)
        self._chunks = self._body_bytes = 0
        if {name for name, _ in request.headers} >= _BOTH:
            # RFC 9112, 6.1: the two may disagree, and a proxy in front of this server may have believed the other.
            raise self._refusal("A request has Content-Length or Transfer-Encoding, not both. Send one of them.")
        self.is_in_body = True

    def _count(self, data: h11.Data) -> None:
        self._chunks += data.chunk_start
        self._body_bytes += len(data.data)
        if self._chunks > SMALL_CHUNKS and self._body_bytes < self._chunks * SMALL_CHUNK_BYTES:
            mean = f"{SMALL_CHUNKS} chunks have less than {SMALL_CHUNK_BYTES} bytes on average"
            raise self._refusal(f"More than {mean}. Send the body in larger chunks.")

    def _refusal(self, text: str) -> h11.RemoteProtocolError:
        self.fault = (HTTPStatus.BAD_REQUEST, text)
        return h11.RemoteProtocolError(text)

    def _check_head(self, received: bytes) -> None:
        end = _BLANK_LINE.search(received)
        size_bytes = end.end() if end else len(received)
        if size_bytes > MAX_HEAD_BYTES:
            text = f"its head has more than {MAX_HEAD_BYTES} bytes"
            raise h11.RemoteProtocolError(text, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if received.count(b"\n", 0, size_bytes) > MAX_HEAD_LINES:
            text = f"its head has more than {MAX_HEAD_LINES} lines"
            raise h11.RemoteProtocolError(text, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


class _HeldFlow(FlowControl):
    """uvicorn's flow control, beside which a connection may be held until its bytes are parsed."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._is_held = False

    def resume_reading(self) -> None:
        """Read again, unless the connection is held."""
        if self.read_paused:
            self.read_paused = False
            self._read_unless_held()

    def hold(self) -> None:
        """Read nothing until release(); said again, because uvicorn resumes the transport by itself in one case."""
        self._is_held = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def release(self) -> None:
        """Read again, unless uvicorn has paused it."""
        if self._is_held:
            self._is_held = False
            if not self.read_paused:
                self._read_unless_held()

    def _read_unless_held(self) -> None:
        if not self._is_held and not self._transport.is_closing():
            self._transport.resume_reading()


def _bytes_of(status: int, text: str) -> bytes:
    response = problem_of_status(status, text)
    head = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode()), b"connection: close"]
    head += [b"%s: %s" % (name, value) for name, value in response.raw_headers]
    return b"\r\n".join((*head, b"", bytes(response.body)))

"""uvicorn's WebSocket protocol, adapted for the gateway.

No compression (it costs more CPU than the rest of a send together), pings at the protocol level that detect a dead
peer, and a way to hang up on a client that does not read: ASGI's own close waits until the socket drains, which never
happens with such a client.

A client cannot keep the loop from the others: frames are parsed in turns (chassis.web.read_turns), their number and
size are limited, and a socket that was closed is read only far enough to find the client's own close.
"""

import asyncio
import fcntl
import logging
import struct
import termios
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from forgesyte_chassis.allowance import Allowance
from forgesyte_chassis.web.port_state import PortState
from forgesyte_chassis.web.problems import problem_of_status
from forgesyte_contracts.realtime import CloseCode

HANG_UP = "forgesyte.hang_up"
"""The ASGI extension: a function that takes a close code and a reason, and never waits."""

FLOODED = "too many frames"
"""The reason in the close frame of a client that sends more frames than it may."""

MAX_TEXT_BYTES = 1024 * 1024
"""A longer client message is not read at all; the socket closes with 1009."""

CONTROL_BURST, CONTROL_PER_S = 200, 20.0
"""How many control frames (ping, pong, close) a client may send at once, and how many a second after that."""

DATA_BURST, DATA_PER_S = 10_000, 500.0
"""How many other frames a client may send at once, and how many a second after that."""

PEER_PING_S = 30.0
PEER_DEAD_S = 60.0

CLOSED_S = 0.5
"""How long the TCP connection of a closed socket may stay, in seconds."""

FAREWELL_S = 30.0
"""How long the close code waits for a client that does not read, in seconds."""

_MESSAGE_S = 0.0002
"""What a message costs the application at least, in seconds."""

_SLICE_BYTES = 128
_AFTER_CLOSE_BYTES = 1024
_NOTHING = memoryview(b"")


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection; uvicorn makes it (`ws=SocketProtocol`)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  passed on unchanged
        super().__init__(*arguments, **named)
        self._port: PortState = named["server_state"]
        self._turns = self._port.turns
        self.logger = logging.getLogger("uvicorn.error")
        self.conn = _Handshake(max_size=MAX_TEXT_BYTES, logger=self.logger)
        self.ping_interval, self.ping_timeout = PEER_PING_S, PEER_DEAD_S
        self._control = Allowance(burst=CONTROL_BURST, per_s=CONTROL_PER_S)
        self._data = Allowance(burst=DATA_BURST, per_s=DATA_PER_S)
        self._unread = _NOTHING
        self._is_held = False
        self._is_deaf = False
        self._left_after_close = _AFTER_CLOSE_BYTES
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection of a request."""
        super().connection_made(transport)
        self._port.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was not parsed."""
        self._port.leave(self)
        self._turns.forget(self)
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, as far as there is time."""
        if not self.handshake_initiated:
            super().data_received(data)  # the request's head, from the HTTP protocol and limited by it
            if not self.handshake_initiated:
                self._refuse_head()
            return
        if self.close_sent:
            self._left_after_close -= len(data)
            if self._left_after_close < 0:
                self._be_deaf()
        if self._is_deaf:
            return
        self._unread = memoryview(bytes(self._unread) + data) if self._unread else memoryview(data)
        self._turns.read(self)

    def read_on(self) -> bool:
        """Parse what was received while there is time; True when more could be parsed now."""
        while self._unread and self._may_parse():
            if not self._turns.has_time():
                return True
            piece, self._unread = self._unread[:_SLICE_BYTES], self._unread[_SLICE_BYTES:]
            super().data_received(bytes(piece))
        if self._unread:
            self.hold()
        elif self._is_held:
            self._is_held = False
            if not self.read_paused and not self.transport.is_closing():
                self.transport.resume_reading()
        return False

    def _may_parse(self) -> bool:
        """Whether nothing must happen first: the handshake, or that the application takes its messages."""
        if self._is_deaf or self.transport.is_closing():
            self._unread = _NOTHING
            return False
        return self.close_sent or (self.handshake_complete and not self.read_paused)

    def hold(self) -> None:
        """Read nothing more from the network until the bytes that wait are parsed."""
        self._is_held = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    async def receive(self) -> Any:  # noqa: ANN401  one of uvicorn's private types
        """Return the next event for the application, and parse on when it has taken all."""
        event = await super().receive()
        self._parse_on()
        return event

    async def send(self, message: Any) -> None:  # noqa: ANN401  one of uvicorn's private types
        """Send for the application; what waited for the handshake is parsed after it."""
        was_closed = self.close_sent
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # uvicorn 0.54 sets this for its own 403 only and would log each refusal as an error of the application.
            self.handshake_complete = True
        if self.close_sent and not was_closed:
            self._end_soon(CLOSED_S)
        self._parse_on()

    def _parse_on(self) -> None:
        if self._unread and self._may_parse():
            self._turns.defer(self)

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and offer the extension to the application."""
        super().handle_connect(event)
        if scope := getattr(self, "scope", None):  # a refused handshake has none
            scope["extensions"][HANG_UP] = self.hang_up

    def handle_ping(self) -> None:
        """Answer a ping, unless there are too many."""
        if self._takes_one(self._control):
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong, unless there are too many."""
        if self._takes_one(self._control):
            super().handle_pong(event)

    def handle_text(self, event: Frame) -> None:
        """Take a text, or its beginning, unless there are too many."""
        if self._takes_one(self._data):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Take bytes, or their beginning, unless there are too many."""
        if self._takes_one(self._data):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Take the continuation of a message, unless there are too many: each counts, even an empty one."""
        if self._takes_one(self._data):
            super().handle_cont(event)

    def handle_close(self, event: Frame) -> None:
        """End the connection: the client closes it, or answers our close."""
        super().handle_close(event)
        if not self.transport.is_closing():
            self.transport.close()
        self._end_soon(CLOSED_S)

    def _takes_one(self, allowance: Allowance) -> bool:
        if self.close_sent:
            return False
        if allowance.take():
            return True
        self.hang_up(CloseCode.UNAUTHORISED, FLOODED)
        self._be_deaf()
        return False

    def send_receive_event_to_app(self) -> None:
        """Hand a message to the application; text that is not UTF-8 closes the socket with 1007."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError as error:
                self.frames = []
                self.hang_up(1007, f"text that is not UTF-8: {error.reason} at byte {error.start}")
                return
        self._turns.charge(_MESSAGE_S)
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Close with the code that the parser chose."""
        super().handle_parser_exception()
        self._end_soon(CLOSED_S)

    def shutdown(self) -> None:
        """Close at the end of the service."""
        super().shutdown()
        self._end_soon(CLOSED_S)

    def hang_up(self, code: int, reason: str) -> None:
        """Close now: the close frame follows what the socket already holds.

        The TCP connection ends half a second later. A client that is closed because it does not read has longer: until
        it has read the close frame, or 30 seconds.
        """
        if self.close_sent or self.disconnected or not self.handshake_complete or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:  # the peer's answer to the close must be read
            self.read_paused = False
            if not self._is_held:
                self.transport.resume_reading()
        within_s = FAREWELL_S if code == CloseCode.TOO_SLOW else CLOSED_S
        # uvicorn ends a connection without a timer of its own as soon as the application returns.
        self.close_timer = self.loop.call_later(within_s + CLOSED_S, self.transport.abort)
        self._end_soon(within_s)
        self._parse_on()

    def keepalive_timeout(self) -> None:
        """Give up on a dead peer; its waiting data is dropped, so that the application learns of it at once."""
        super().keepalive_timeout()
        self.transport.abort()

    def _be_deaf(self) -> None:
        """Read nothing more: the connection only ends."""
        self._is_deaf = True
        self._unread = _NOTHING
        self.hold()

    def _end_soon(self, within_s: float) -> None:
        self._unread = self._unread[:_AFTER_CLOSE_BYTES]
        if self._end is None and not self.disconnected:
            self._end = self.loop.call_later(CLOSED_S, self._end_now, self.loop.time() + within_s)

    def _end_now(self, latest_s: float) -> None:
        if self.loop.time() < latest_s and self._undelivered():
            self._end = self.loop.call_later(CLOSED_S, self._end_now, latest_s)
        else:
            self.transport.abort()

    def _undelivered(self) -> bool:
        """Whether the client's system has not received all that was sent; abort() would drop the rest."""
        if self.transport.get_write_buffer_size():
            return True
        waiting = struct.pack("i", 0)
        with suppress(OSError, ValueError):  # the socket may be gone by now
            waiting = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, waiting)
        return bool(struct.unpack("i", waiting)[0])

    def _refuse_head(self) -> None:
        """Answer a request for a socket that is no HTTP to websockets, which has stricter limits than h11."""
        if not self.transport.is_closing():
            answer = b"".join(self.conn.data_to_send())
            if not answer:
                text = "The request for a WebSocket could not be read. Send it as RFC 6455 says."
                answer = self.conn.reject(HTTPStatus.BAD_REQUEST, text).serialize()
            self.transport.write(answer)
            self.transport.close()
        self.handshake_initiated = self.handshake_complete = self.close_sent = True


class _Handshake(ServerProtocol):
    """The protocol of websockets, which refuses a handshake with a problem document."""

    def reject(self, status: HTTPStatus | int, text: str) -> Response:
        """Return the refusal of a handshake."""
        response = super().reject(status, text)
        problem = problem_of_status(response.status_code, text.strip() or "The WebSocket was refused.")
        for name, value in problem.headers.items():
            response.headers.pop(name, None)
            response.headers[name] = value
        response.body = bytes(problem.body)
        return response

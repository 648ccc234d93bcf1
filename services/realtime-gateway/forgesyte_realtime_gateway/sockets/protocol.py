"""uvicorn's WebSocket protocol, adapted for the gateway.

No compression (it costs more CPU than the rest of a send together), a limit on what a client may send, pings at the
protocol level that detect a dead peer, and a way to hang up on a client that does not read: ASGI's own close waits
until the socket drains, which never happens with such a client.
"""

import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.server import ServerProtocol

HANG_UP = "forgesyte.hang_up"
"""The ASGI extension: a function that takes a close code and a reason, and never waits."""

MAX_TEXT_BYTES = 1024 * 1024
"""A longer client message is not read at all; the socket closes with 1009."""

PEER_PING_S = 30.0
PEER_DEAD_S = 60.0
_FAREWELL_S = 5.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection; uvicorn makes it (`ws=SocketProtocol`)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  passed on unchanged
        super().__init__(*arguments, **named)
        self.logger = logging.getLogger("uvicorn.error")
        self.conn = ServerProtocol(max_size=MAX_TEXT_BYTES, logger=self.logger)
        self.ping_interval, self.ping_timeout = PEER_PING_S, PEER_DEAD_S

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and offer the extension to the application."""
        super().handle_connect(event)
        if scope := getattr(self, "scope", None):  # a refused handshake has none
            scope["extensions"][HANG_UP] = self.hang_up

    def hang_up(self, code: int, reason: str) -> None:
        """Close now: the close frame follows what the socket already holds; a few seconds later the rest is dropped."""
        if self.close_sent or self.disconnected or not self.handshake_complete or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:  # the peer's answer to the close must be read
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_FAREWELL_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Give up on a dead peer; its waiting data is dropped, so that the application learns of it at once."""
        super().keepalive_timeout()
        self.transport.abort()

"""A client that means harm: `python flooder.py KIND PORT SECONDS`, over raw sockets and in its own process.

Each kind sends as fast as the server takes it, and comes back at once when the server hangs up. It runs with the lowest
priority: what is measured is how the server divides its time, not how the machine divides the processor. At the end it
prints as JSON what it did.
"""

import json
import os
import resource
import selectors
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

MASK = b"\0\0\0\0"
TEXT, CONT, CLOSE, PING, PONG = 1, 0, 8, 9, 10
FIN = 0x80
UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
CHUNKED = (
    b"POST /v1/video/submit?plugin_id=probe&tool=gate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
)
GET = b"GET /v1/jobs?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HALF = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
PIECE_BYTES = 64 * 1024


def frame(opcode: int, payload: bytes = b"", fin: int = FIN) -> bytes:
    """A masked frame; the mask is zero, so that the payload stands in it as it is."""
    size = len(payload)
    assert size < 126, "a longer payload needs a longer head"
    return struct.pack("!BB", fin | opcode, 0x80 | size) + MASK + payload


def filled(piece: bytes) -> bytes:
    """As much of it as fits into one write."""
    return piece * (PIECE_BYTES // len(piece))


def churn() -> bytes:
    """Subscriptions to jobs that do not exist, each given up at once."""
    out = b""
    while len(out) < PIECE_BYTES:
        for kind in ("subscribe", "unsubscribe"):
            out += frame(TEXT, json.dumps({"type": kind, "payload": {"job_id": str(uuid4())}}).encode())
    return out


@dataclass(frozen=True)
class Flow:
    """What one connection does.

    Attributes:
        first: sent at the start.
        again: sent again and again, as fast as the server takes it.
        waits: whether `again` begins only after the server's answer.
        every_s: sends `again` only this often.
        leaves: whether the client leaves once `first` is sent (and answered, where it waits), and connects again.
        clients: how many connections there are at once.
    """

    first: bytes = b""
    again: bytes = b""
    waits: bool = False
    every_s: float = 0.0
    leaves: bool = False
    clients: int = 4


SOCKET_KINDS: dict[str, Callable[[], bytes]] = {
    "pings": lambda: filled(frame(PING)),
    "pongs": lambda: filled(frame(PONG)),
    "large-pings": lambda: filled(frame(PING, b"x" * 125)),
    "closes": lambda: filled(frame(CLOSE, struct.pack("!H", 1000))),
    "texts": lambda: filled(frame(TEXT, b"{}")),
    "fragments": lambda: frame(TEXT, b"{", fin=0) + filled(frame(CONT, fin=0)),
    "subscriptions": churn,
}
NOTHING = "nothing"
"""A flood of no connection: what the machine does without one."""

KINDS: dict[str, Callable[[], Flow]] = {
    **{name: lambda make=make: Flow(UPGRADE, make(), waits=True) for name, make in SOCKET_KINDS.items()},
    "half-heads": lambda: Flow(HALF, clients=1100),
    "trickled-heads": lambda: Flow(HALF, b"x", every_s=0.5, clients=1100),
    "chunks": lambda: Flow(CHUNKED, filled(b"1\r\nx\r\n")),
    "requests": lambda: Flow(b"", filled(GET)),
    "connects": lambda: Flow(leaves=True, clients=64),
    "handshakes": lambda: Flow(UPGRADE, waits=True, leaves=True, clients=64),
    "hundred-clients": lambda: Flow(UPGRADE, filled(frame(PING) + frame(TEXT, b"{}")), waits=True, clients=100),
}


class Link:
    """One connection of the flooder."""

    def __init__(self, flow: Flow, address: tuple[str, int]) -> None:
        self.flow = flow
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.connect_ex(address)
        self.unsent = flow.first
        self.is_answered = False
        self.next_s = 0.0

    @property
    def has_done(self) -> bool:
        """Whether a client that leaves has done what it came for."""
        return self.flow.leaves and not self.unsent and (self.is_answered or not self.flow.waits)

    def wants(self, now_s: float) -> int:
        """What to wait for: an answer, and to send where something is due."""
        may_repeat = bool(self.flow.again) and (self.is_answered or not self.flow.waits) and now_s >= self.next_s
        is_due = bool(self.unsent) or may_repeat or (self.flow.leaves and not self.flow.waits)
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if is_due else 0)

    def send(self, now_s: float) -> int:
        """Send what is due; return the bytes that the server's system took."""
        if not self.unsent:
            self.unsent = self.flow.again
            self.next_s = now_s + self.flow.every_s
        sent = self.sock.send(self.unsent)
        self.unsent = self.unsent[sent:]
        return sent

    def hear(self) -> str:
        """Read; return a word for what was heard."""
        heard = self.sock.recv(65536)
        if not heard:
            raise ConnectionResetError(0, "closed by the server")
        self.is_answered = True
        return heard[9:12].decode("latin-1") if heard.startswith(b"HTTP/") else "frames"


class Flooder:
    """All connections of a run."""

    def __init__(self, flow: Flow, port: int) -> None:
        self.flow = flow
        self.address = ("127.0.0.1", port)
        self.selector = selectors.DefaultSelector()
        self.counts: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Flood for so long, then let go of everything."""
        end_s = monotonic() + seconds
        while (now_s := monotonic()) < end_s:
            # Some at a time: those that are open must be served as well.
            for _ in range(min(50, self.flow.clients - len(self.selector.get_map()))):
                self.connect()
            for key in tuple(self.selector.get_map().values()) if self.flow.every_s else ():
                self.selector.modify(key.fileobj, key.data.wants(now_s), key.data)
            for key, ready in self.selector.select(0.05):
                self.serve(key.data, ready)
        for key in tuple(self.selector.get_map().values()):
            key.fileobj.close()

    def connect(self) -> None:
        """Open one more connection."""
        link = Link(self.flow, self.address)
        self.counts["connects"] += 1
        self.selector.register(link.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, link)

    def serve(self, link: Link, ready: int) -> None:
        """Do what one connection is ready for."""
        now_s = monotonic()
        try:
            if ready & selectors.EVENT_WRITE:
                self.counts["bytes"] += link.send(now_s)
            if ready & selectors.EVENT_READ:
                self.counts[link.hear()] += 1
        except BlockingIOError:
            pass
        except OSError as error:
            self.counts[str(error.strerror).lower()] += 1
            self.drop(link)
            return
        if link.has_done:
            self.drop(link)
        else:
            self.selector.modify(link.sock, link.wants(now_s), link)

    def drop(self, link: Link) -> None:
        """Close one connection."""
        self.selector.unregister(link.sock)
        link.sock.close()


def main() -> None:
    kind, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    os.nice(19)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    flooder = Flooder(Flow(clients=0) if kind == NOTHING else KINDS[kind](), port)
    flooder.run(seconds)
    print(json.dumps(flooder.counts))


if __name__ == "__main__":
    main()

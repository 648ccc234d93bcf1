"""Many sockets that only read, in a separate process: the readers of realtime_fanout.

    python -m benchmarks.socket_crowd HOST:PORT PATH COUNT HELLO

It opens COUNT WebSockets, sends HELLO (a text; "" sends nothing) on each, prints `ready` once each has received a text
that contains one of READY, and counts from then on. A line on stdin ends it: the number of deliveries that were only
for warming up. It then prints one JSON object about the other deliveries.
The reading is written by hand, because it must cost less than what is measured, and the same for every server: it
splits frames and finds a message by the mark in it, wherever its server puts it.
"""

import array
import asyncio
import base64
import json
import os
import statistics
import sys
import time
from typing import cast

import uvloop

MARK = b'"stage":"sent '
"""Precedes the time of sending, in the message's own JSON: 20 digits of monotonic nanoseconds."""

READY = (b'"type":"progress"', b"PONG")
_STAMP_DIGITS = 20
_OPEN_AT_ONCE = 50
_OPEN_LIMIT_S = 60.0


class Reader(asyncio.Protocol):
    """One socket.

    Args:
        lags_ns: receives one entry per message.
        request: the bytes of the handshake.
        hello: what it sends after it, already as a frame.
    """

    def __init__(self, lags_ns: array.array[int], request: bytes, hello: bytes) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self._lags_ns = lags_ns
        self._request = request
        self._hello = hello
        self._is_open = False
        self._data = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are none by class
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """End of the connection; if a server closes it during the measurement, the missing messages show it."""
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(f"refused: {self._data[:200]!r}"))

    def data_received(self, data: bytes) -> None:
        """Split the received data into frames."""
        data = self._data + data if self._data else data
        if not self._is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end or not head.startswith(b"HTTP/1.1 101"):
                self._data = head + end + data
                return
            self._is_open = True
            if self._transport is not None and self._hello:
                self._transport.write(self._hello)
        at = 0
        while (frame := _frame(data, at)) is not None:
            begin, at = frame
            self._take(data, begin, at)
        self._data = data[at:]

    def _take(self, data: bytes, begin: int, end: int) -> None:
        if not self.ready.done() and any(data.find(word, begin, end) >= 0 for word in READY):
            self.ready.set_result(None)
        place = data.find(MARK, begin, end)
        while place >= 0:
            place += len(MARK)
            self._lags_ns.append(time.monotonic_ns() - int(data[place : place + _STAMP_DIGITS]))
            place = data.find(MARK, place, end)


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `at` begins and ends; None if incomplete. Servers do not mask."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1], at + 2
    more = {126: 2, 127: 8}.get(size, 0)
    if more:
        if len(data) < begin + more:
            return None
        size, begin = int.from_bytes(data[begin : begin + more]), begin + more
    return (begin, begin + size) if len(data) >= begin + size else None


def _masked(text: bytes) -> bytes:
    """Return a client's text frame: masked, as the protocol requires; the mask 0 leaves the text unchanged."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0x80 | 126]) + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text if text else b""


async def read(address: str, path: str, count: int, hello: str) -> dict[str, float]:
    """Open the sockets, read until a line arrives on stdin, and return the figures."""
    host, _, port = address.partition(":")
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {address}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", "",
    ]  # fmt: skip
    request, greeting = "\r\n".join(lines).encode(), _masked(hello.encode())
    lags_ns = array.array("q")
    loop = asyncio.get_running_loop()

    async def open_one(gate: asyncio.Semaphore) -> asyncio.BaseTransport:
        async with gate:
            transport, reader = await loop.create_connection(
                lambda: Reader(lags_ns, request, greeting), host, int(port)
            )
            await reader.ready
            return transport

    gate = asyncio.Semaphore(_OPEN_AT_ONCE)
    async with asyncio.timeout(_OPEN_LIMIT_S):
        transports = await asyncio.gather(*(open_one(gate) for _ in range(count)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    warm_up = int(await asyncio.to_thread(sys.stdin.readline))
    for transport in transports:
        transport.close()
    return summary([lag / 1e6 for lag in lags_ns[warm_up:]])


def summary(lag_ms: list[float]) -> dict[str, float]:
    """Return how many messages arrived, and how late, in milliseconds."""
    lag_ms = lag_ms if len(lag_ms) > 1 else [0.0, 0.0]
    return {
        "messages": len(lag_ms),
        "p50_ms": statistics.median(lag_ms),
        "p99_ms": statistics.quantiles(lag_ms, n=100)[-1],
    }


if __name__ == "__main__":
    address, path, count, hello = sys.argv[1:5]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(read(address, path, int(count), hello.replace("\\r\\n", "\r\n")))
    sys.stdout.write(json.dumps(found) + "\n")

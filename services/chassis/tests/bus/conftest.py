"""A real nats-server a test, builders, and a TCP proxy that makes the network's faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.runners import RunnerHeartbeat
from tests.support import NatsServer, nats_server

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Proxy:
    """Stands between a client and the server. `swallow` sees each chunk the server sends and may keep it; `sent` holds
    what the clients sent, in order.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = ""
        self.swallow: Callable[[bytes], bool] = lambda _chunk: False
        self.swallowed = 0
        self.refused = 0
        self.sent = b""
        self._clients: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            self.refused += 1
            writer.close()
            return
        self._clients.append(writer)
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(
                self._pump(reader, upstream_writer, inspected=False),
                self._pump(upstream_reader, writer, inspected=True),
            )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, inspected: bool) -> None:
        try:
            while chunk := await reader.read(1 << 20):
                if inspected and self.swallow(chunk):
                    self.swallowed += 1
                    continue
                if not inspected:
                    self.sent += chunk
                writer.write(chunk)
                await writer.drain()
        finally:
            writer.close()

    def inject(self, data: bytes) -> None:
        """Let the clients read `data` as if the server had sent it."""
        for client in self._clients:
            client.write(data)

    def cut(self) -> None:
        """Cut every connection."""
        for client in self._clients:
            client.close()
        self._clients.clear()


@pytest.fixture
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as running:
        yield running


@pytest.fixture
async def proxy(server: NatsServer) -> AsyncIterator[Proxy]:
    async with Proxy(server.port).running() as running:
        yield running


@pytest.fixture
async def connect(server: NatsServer) -> AsyncIterator[Callable]:
    """Give a function that makes a bus; all are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def make(url: str | None = None, **how: object) -> Bus:
            bus = await stack.enter_async_context(Bus.connect(url or server.url, name="test", **how))
            await bus.ensure()
            return bus

        yield make


@pytest.fixture
async def bus(connect: Callable) -> Bus:
    return await connect()


@pytest.fixture
def a_record() -> Callable[..., JobRecord]:
    def build(**fields: object) -> JobRecord:
        facts = {
            "job_id": new_job_id(),
            "plugin_id": "motion-detector",
            "tools": ("detect-motion",),
            "created_at": NOW,
            "updated_at": NOW,
        }
        return JobRecord(**{**facts, **fields})

    return build


@pytest.fixture
def a_heartbeat() -> Callable[..., RunnerHeartbeat]:
    def build(runner_id: str = "runner-1", **fields: object) -> RunnerHeartbeat:
        facts = {"runner_id": runner_id, "host": "h", "pid": 1, "version": "0", "started_at": "x", "slots": 2}
        return RunnerHeartbeat(**{**facts, **fields})

    return build

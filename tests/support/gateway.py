"""The real gateway over real uvicorn sockets and a real nats-server; the tests play the runner.

The fixtures at the end are for the conftest.py of each folder that tests the gateway. All of its tests share one
nats-server, because each has jobs of its own; a test that harms the server takes the fixture `own_server` instead.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.clock import Clock
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.realtime import message_schemas
from forgesyte_realtime_gateway.app import create_app, end_streams
from forgesyte_realtime_gateway.settings import GatewaySettings
from forgesyte_realtime_gateway.sockets.gateway import Gateway
from forgesyte_realtime_gateway.sockets.protocol import SocketProtocol

from .nats import NatsServer, nats_server
from .played_runner import PlayedRunner, a_record
from .waiting import eventually

LIMIT_S = 60.0
SCHEMAS = {kind: Draft202012Validator(schema) for kind, schema in message_schemas().items()}

Message = dict[str, Any]


@dataclass
class Served:
    """A gateway on a port."""

    app: FastAPI
    port: int
    bus: Bus
    registry: CollectorRegistry

    @property
    def gateway(self) -> Gateway:
        """What the endpoints share."""
        gateway: Gateway = self.app.state.gateway
        return gateway

    @property
    def http(self) -> str:
        """Its address for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def watch(self, path: str, **options: Any) -> connect:
        """Open a socket: `async with served.watch("/v1/realtime") as socket`."""
        options = {"compression": None, "ping_interval": None, "close_timeout": 2, "proxy": None, **options}
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    def realtime(self, job_id: str, **query: Any) -> connect:
        """Open a socket that watches a job."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return self.watch(f"/v1/realtime?job_id={job_id}{more}")

    def flat(self, job_id: str, **options: Any) -> connect:
        """Open a socket for the flat events of a job."""
        return self.watch(f"/ws/jobs/{job_id}", **options)

    def count(self, name: str, **labels: str) -> float:
        """The present value of a metric."""
        return self.registry.get_sample_value(f"forgesyte_gateway_{name}", labels) or 0.0


@asynccontextmanager
async def serving(
    server: NatsServer,
    *,
    keys: KeyRing | None = None,
    clock: Clock | None = None,
    port: int = 0,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Run one gateway for the length of a block."""
    async with Bus.connect(server.url, name="gateway-test") as bus:
        await bus.ensure()
        registry = CollectorRegistry()
        app = create_app(bus, keys or KeyRing(), GatewaySettings(**settings), registry=registry, clock=clock)
        async with app.router.lifespan_context(app):
            listener = open_listener("127.0.0.1", port)
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                served = Served(app, listener.getsockname()[1], bus, registry)
                group.create_task(serve_http(app, listener, stopping=stop, grace_s=1, ws=SocketProtocol))
                try:
                    yield served
                finally:
                    await end_streams(app)
                    stop.set()


async def hear(socket: ClientConnection) -> Message:
    """Return the next message; an envelope is checked against its type's schema."""
    async with asyncio.timeout(LIMIT_S):
        return checked(json.loads(await socket.recv()))


def checked(message: Message) -> Message:
    """Check an envelope against its type's schema."""
    if "payload" in message:
        SCHEMAS[message["type"]].validate(message)
    return message


async def hear_until(socket: ClientConnection, is_last: Callable[[Message], bool]) -> list[Message]:
    """Return all messages up to the first that `is_last`."""
    heard = [await hear(socket)]
    while not is_last(heard[-1]):
        heard.append(await hear(socket))
    return heard


def is_ending(message: Message) -> bool:
    """Whether it is the ending of a job, in either dialect."""
    if "payload" in message:
        return bool(message["type"] == "progress" and message["payload"]["status"] != "running")
    return "status" in message


def is_frame(frame: int) -> Callable[[Message], bool]:
    """Return whether a message is the progress of this frame, in either dialect."""

    def judge(message: Message) -> bool:
        is_progress = message.get("type", "progress") == "progress"
        return bool(is_progress and message.get("payload", message).get("current_frame") == frame)

    return judge


async def joined(served: Served, job_id: JobId, count: int = 1) -> None:
    """Wait until so many clients have the job's state and its live messages reach the gateway."""
    watches = served.gateway.watches

    def is_watched() -> bool:
        watch = watches.get(job_id)
        watchers = sum(job_id in client.jobs for client in served.gateway.manager.clients())
        return watchers == count and watch is not None and not watch.is_owed and watches.subscriptions.hears(job_id)

    await eventually(is_watched, what=f"{count} clients watch the job")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[NatsServer]:
    """The nats-server of all tests that do it no harm."""
    with tempfile.TemporaryDirectory(prefix="forgesyte-nats-") as folder:
        server = NatsServer(Path(folder))
        try:
            asyncio.run(server.start())
            yield server
        finally:
            if server.process and server.process.poll() is None:
                server.kill()


@pytest.fixture
async def own_server() -> AsyncIterator[NatsServer]:
    """A nats-server that one test may kill, stop and empty."""
    async with nats_server() as started:
        yield started


@pytest.fixture
def server(shared_server: NatsServer) -> NatsServer:
    """The nats-server below `served` and `bus`; a module that harms it overrides this with `own_server`."""
    return shared_server


@pytest.fixture
async def served(server: NatsServer) -> AsyncIterator[Served]:
    """A gateway with the default settings and no keys."""
    async with serving(server) as started:
        yield started


IN_MODULE_LOOP = pytest.mark.asyncio(loop_scope="module")
"""Marks a test that uses a fixture of its whole module, like `shared_gateway`."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_gateway(shared_server: NatsServer) -> AsyncIterator[Served]:
    """A gateway like `served` for all tests of a module that ask it something and leave nothing behind."""
    async with serving(shared_server) as started:
        yield started


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    """A connection of the test's own, for the played runner."""
    async with Bus.connect(server.url, name="played-runner") as connected:
        await connected.ensure()
        yield connected


class Play(Protocol):
    """Makes a job and its runner."""

    def __call__(self, *, is_claimed: bool = True, **facts: Any) -> Awaitable[PlayedRunner]:
        """Make a job with these facts in its record; its runner claims it unless `is_claimed` is False."""
        ...


@pytest.fixture
def play(bus: Bus) -> Play:
    """Makes a job and its runner: `runner = await play(tools=("a", "b"))`."""

    async def begin(*, is_claimed: bool = True, **facts: Any) -> PlayedRunner:
        stored = await bus.jobs.create(a_record(**facts))
        runner = PlayedRunner(bus, stored.record)
        runner.revision = stored.revision
        if is_claimed:
            await runner.claim()
        return runner

    return begin

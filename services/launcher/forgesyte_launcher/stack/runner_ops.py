"""The runner's metrics on the one ops port of a one-box run.

The runner answers on a listening socket that it inherits from us, so its address is known before it starts and stays
the same when it is restarted. Its metrics are passed on as text, without those of its process and its interpreter,
which have the same names as ours. A runner with an ops port of its own (FORGESYTE_RUNNER_OPS_PORT) is scraped there
alone: a scraper of both ports must not count a job twice.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import structlog

from forgesyte_chassis.settings import env_name
from forgesyte_chassis.web.server import open_listener
from forgesyte_plugin_runner.settings import RunnerSettings

from .process import ProcessSpec

PREFIX = b"forgesyte_runner_"
OPS_PORT = env_name(RunnerSettings, "ops_port")
OPS_FD = env_name(RunnerSettings, "ops_fd")
_LIMIT_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerOps:
    """Access to the runner's ops routes; `listener` is None when they are not served here."""

    listener: socket.socket | None
    http: httpx.AsyncClient

    def handed_to(self, spec: ProcessSpec) -> ProcessSpec:
        """Return the runner's process description with the socket added, or with its ops port switched off."""
        if self.listener is None:
            return replace(spec, env={OPS_PORT: os.environ.get(OPS_PORT) or "-1", **spec.env})
        fd = self.listener.fileno()
        return replace(spec, env={**spec.env, OPS_FD: str(fd)}, keep_fds=(*spec.keep_fds, fd))

    async def metrics(self) -> bytes:
        """Return the runner's metrics; nothing while it does not answer, for example because it is being restarted."""
        if self.listener is None:
            return b""
        try:
            answer = await self.http.get(f"http://127.0.0.1:{self.listener.getsockname()[1]}/metrics")
        except httpx.HTTPError as error:
            log.info("runner not scraped", error=type(error).__name__)
            return b""
        return runners_own(answer.content) if answer.is_success else b""


@asynccontextmanager
async def open_runner_ops(*, is_wanted: bool) -> AsyncIterator[RunnerOps]:
    """Open the socket for the block, unless it is not wanted or the runner has an ops port of its own.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when no port is free.
    """
    has_own_port = bool(os.environ.get(OPS_PORT))
    listener = open_listener("127.0.0.1", 0) if is_wanted and not has_own_port else None
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_LIMIT_S) as http:
            yield RunnerOps(listener, http)
    finally:
        if listener is not None:
            listener.close()


def runners_own(text: bytes) -> bytes:
    """Return the metrics of a scrape that only a runner has.

    >>> runners_own(b"# TYPE forgesyte_runner_slots gauge\\nforgesyte_runner_slots 2.0\\nprocess_open_fds 9.0\\n")
    b'# TYPE forgesyte_runner_slots gauge\\nforgesyte_runner_slots 2.0\\n'
    """
    comments = (b"# HELP " + PREFIX, b"# TYPE " + PREFIX)
    return b"".join(line for line in text.splitlines(keepends=True) if line.startswith((PREFIX, *comments)))

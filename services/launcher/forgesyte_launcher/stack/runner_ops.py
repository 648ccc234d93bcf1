"""The runner's metrics on the one ops port of a one-box run.

The runner answers on a socket that we opened and that it inherits, so its address is known before it starts and stays
the same through all its lives. What it counts is passed on as text; its process and Python figures are left out, for
ours have the same names. A runner that was given an ops port of its own (FORGESYTE_RUNNER_OPS_PORT) is scraped there
and nowhere else: whoever scrapes both must not count a job twice.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import structlog

from forgesyte_chassis.web.server import open_listener

from .process import ProcessSpec

PREFIX = b"forgesyte_runner_"
OPS_PORT = "FORGESYTE_RUNNER_OPS_PORT"
OPS_FD = "FORGESYTE_RUNNER_OPS_FD"
_LIMIT_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerOps:
    """The way to the runner's ops routes; `listener` is None when nobody asks them here."""

    listener: socket.socket | None
    http: httpx.AsyncClient

    def handed_to(self, spec: ProcessSpec) -> ProcessSpec:
        """Give the runner's row with the socket in it."""
        if self.listener is None:
            return replace(spec, env={OPS_PORT: os.environ.get(OPS_PORT) or "-1", **spec.env})
        fd = self.listener.fileno()
        return replace(spec, env={**spec.env, OPS_FD: str(fd)}, keep_fds=(*spec.keep_fds, fd))

    async def metrics(self) -> bytes:
        """Ask the runner what it counted; nothing when it does not answer, because it is being started for one."""
        if self.listener is None:
            return b""
        try:
            answer = await self.http.get(f"http://127.0.0.1:{self.listener.getsockname()[1]}/metrics")
        except httpx.HTTPError as error:
            log.info("runner not scraped", error=type(error).__name__)
            return b""
        return runners_own(answer.content) if answer.is_success else b""


@asynccontextmanager
async def open_runner_ops(*, is_asked: bool) -> AsyncIterator[RunnerOps]:
    """Open the socket for the length of the block; without `is_asked` there is none.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE, when no port is free.
    """
    has_own_port = bool(os.environ.get(OPS_PORT))
    listener = open_listener("127.0.0.1", 0) if is_asked and not has_own_port else None
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_LIMIT_S) as http:
            yield RunnerOps(listener, http)
    finally:
        if listener is not None:
            listener.close()


def runners_own(text: bytes) -> bytes:
    """Keep the metrics of a scrape that only a runner has.

    >>> runners_own(b"# TYPE forgesyte_runner_slots gauge\\nforgesyte_runner_slots 2.0\\nprocess_open_fds 9.0\\n")
    b'# TYPE forgesyte_runner_slots gauge\\nforgesyte_runner_slots 2.0\\n'
    """
    comments = (b"# HELP " + PREFIX, b"# TYPE " + PREFIX)
    return b"".join(line for line in text.splitlines(keepends=True) if line.startswith((PREFIX, *comments)))

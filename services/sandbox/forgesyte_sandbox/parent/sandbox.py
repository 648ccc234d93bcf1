"""One living sandbox as its parent holds it: process, pipe, heartbeat page, last output, and its state after load.

It knows nothing about jobs. A fresh run's sandbox dies with the run; a warm one lives on.
"""

import asyncio
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from forgesyte_sandbox.shared.heartbeat import HeartbeatPage
from forgesyte_sandbox.shared.process_memory import (
    MOST_BYTES,
    data_bytes,
    data_limit_of,
    file_bytes,
    resident_bytes,
)
from forgesyte_sandbox.shared.process_tree import descendants_of

from .homes.homes import Home
from .log_tail import LogTail
from .zygote_process import ChildExit, SandboxProcess, ZygoteProcess

_EXIT_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """A sandbox right after load; every job's memory is counted from here.

    Attributes:
        members: its processes, itself included.
        resident_bytes: what they held together, by the watchdog's quick sum.
        data_bytes: the private memory that the sandbox itself had asked for (VmData).
    """

    members: frozenset[int]
    resident_bytes: int
    data_bytes: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Measure a sandbox as it is now; processes that are gone count as nothing."""
        members = frozenset({pid, *descendants_of(pid)})
        try:
            data = data_bytes(pid)
        except ProcessLookupError:
            data = 0
        return cls(members, sum(map(resident_bytes, members)) + file_bytes(members), data)


class Sandbox:
    """Made by fork(); end() must follow, then close().

    Attributes:
        zygote: where it was forked.
        process: the child.
        home: its folders.
        page: where it says what it is doing.
        socket: our end of its pipe; runs use duplicates.
        log: its stdout and stderr.
        baseline: None until it is loaded.
    """

    def __init__(
        self, zygote: ZygoteProcess, process: SandboxProcess, page: HeartbeatPage, sock: socket.socket, log: LogTail
    ) -> None:
        self.zygote = zygote
        self.home = process.home
        self.process = process
        self.page = page
        self.socket = sock
        self.log = log
        self.baseline: Baseline | None = None

    @classmethod
    async def fork(cls, zygote: ZygoteProcess, home: Home) -> Self:
        """Fork a sandbox that lives in `home`.

        Raises:
            ZygoteFailed: nothing was started.
        """
        with ExitStack() as held:
            page = HeartbeatPage()
            held.callback(page.close)
            ours, its = socket.socketpair()
            held.callback(ours.close)
            log_read, log_write = os.pipe()
            log = LogTail(log_read)
            held.callback(log.close)
            try:
                process = await zygote.fork((its.fileno(), page.fd, log_write), home)
            finally:
                its.close()
                os.close(log_write)
            held.pop_all()
            return cls(zygote, process, page, ours, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def is_silent(self) -> bool:
        """Whether it is alive and has sent nothing since it reported that it is ready."""
        if self.process.exited.done():
            return False
        try:
            self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def has_strays(self) -> bool:
        """Whether it has descendants that did not exist after load."""
        return self.baseline is None or not descendants_of(self.pid) <= self.baseline.members

    def drift_bytes(self) -> int:
        """Return what it holds, or has allocated, above its baseline; the larger of the two."""
        if self.baseline is None:
            return 0
        now = Baseline.of(self.pid)
        return max(now.resident_bytes - self.baseline.resident_bytes, now.data_bytes - self.baseline.data_bytes)

    def data_limit(self, memory_bytes: int) -> int:
        """Return the RLIMIT_DATA, in bytes, with which it may use `memory_bytes` above its baseline."""
        return min((0 if self.baseline is None else self.baseline.data_bytes) + memory_bytes, MOST_BYTES)

    def has_room(self, memory_bytes: int) -> bool:
        """Whether its hard limit, which cannot be raised, leaves it `memory_bytes` above its baseline."""
        hard = data_limit_of(self.pid)
        return self.baseline is not None and hard is not None and hard >= self.data_limit(memory_bytes)

    async def end(self) -> ChildExit | None:
        """Kill it and wait until none of its processes is alive.

        A zygote that does not report the exit in time is killed, and its sandboxes with it.

        Returns:
            How it ended; None when the zygote ended before it could report.
        """
        self.process.kill()
        await asyncio.wait({self.process.exited}, timeout=_EXIT_LIMIT_S)
        if not self.process.exited.done():
            self.zygote.condemn("the process that runs its sandbox (the zygote) did not report an exit and was killed")
        return self.process.exited.result()

    def close(self) -> None:
        """Close its descriptors."""
        self.process.close()
        self.log.close()
        self.socket.close()
        self.page.close()

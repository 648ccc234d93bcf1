"""One zygote process as its parent sees it: started, asked to fork, ended with everything it left behind."""

import asyncio
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from forgesyte_sandbox.shared import zygote_protocol
from forgesyte_sandbox.shared.kill import OWNER_MARK, kill_marked, kill_pidfd, kill_sessions, kill_uids
from forgesyte_sandbox.shared.process_tree import started_at
from forgesyte_sandbox.shared.wall_rules import WallRules

from .homes.homes import Home
from .zygote_pulse import ZygotePulse

_START_LIMIT_S = 60.0
_FORK_LIMIT_S = 10.0
_LEAVE_LIMIT_S = 7.0
_ENDED = "the process that runs its sandbox (the zygote) was killed"
_MARK = "SANDBOX_MARK"
_PASSED_ON = ("PATH", "LANG", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", OWNER_MARK)
_PASSED_ON_PREFIXES = ("LC_",)
_OF_GPUS = (
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_PATH", "CUDA_CACHE_DISABLE",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_REQUIRE_CUDA",
)  # fmt: skip
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ZygoteFailed(Exception):
    """The zygote did not start, did not fork, or is gone."""


@dataclass(frozen=True, slots=True)
class ChildExit:
    """A sandbox's end: exit code (below zero: the signal), and how many of its descendants could not be killed."""

    code: int
    survivors: int


class SandboxProcess:
    """One forked sandbox. `exited` holds its ChildExit, or None when the zygote died before it could report."""

    def __init__(self, pid: int, pidfd: int, exited: "asyncio.Future[ChildExit | None]", home: Home) -> None:
        self.pid = pid
        self.home = home
        self.exited = exited
        self._pidfd = pidfd

    def kill(self) -> None:
        """Send SIGKILL; shared/kill.py says what follows."""
        kill_pidfd(self._pidfd)

    def close(self) -> None:
        """Close the pidfd."""
        os.close(self._pidfd)


class ZygoteProcess:
    """A running zygote. Made by spawn(); the caller must bury() it.

    Attributes:
        no_uid: why sandboxes cannot have a uid of their own here, as a clause; None where they can.
        is_gone: whether it has ended or was given up.
        fault: why, as a clause; None while it lives, and when it was ended on purpose.
        ready_s: when it was ready, in monotonic seconds.
    """

    def __init__(self, process: asyncio.subprocess.Process, sock: socket.socket, mark: str) -> None:
        self._process = process
        self._socket = sock
        self._mark = mark
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._forks: dict[int, asyncio.Future[tuple[int, int]]] = {}
        self._exits: dict[int, asyncio.Future[ChildExit | None]] = {}
        self._forked: dict[int, tuple[int, int]] = {}  # pid and start of each sandbox whose end was not reported
        self._last_id = 0
        self._burying = asyncio.Lock()
        self._is_buried = False
        self._uids: Callable[[], Collection[int]] = tuple
        self.is_gone = False
        self.no_uid: str | None = None
        self.fault: str | None = None
        self.ready_s = float("inf")
        self._pulse: ZygotePulse | None = None
        sock.setblocking(False)
        self._loop.add_reader(sock.fileno(), self._receive)

    @classmethod
    async def spawn(
        cls, env: Mapping[str, str], wall: WallRules, *, uids: Callable[[], Collection[int]] = tuple
    ) -> "ZygoteProcess":
        """Start a zygote and wait until it is warm.

        Args:
            env: variables besides those that are passed on.
            wall: what it builds around each sandbox.
            uids: those that are leased for its sandboxes when it ends.

        Raises:
            ZygoteFailed: it ended, or was not ready within its limit.
            RuntimeError: not in the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the zygote in the main thread: it ends when the thread that started it ends")
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mark = secrets.token_hex(16)
        with its, ExitStack() as held:
            held.callback(ours.close)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "forgesyte_sandbox.child.zygote", str(its.fileno()), str(os.getpid())),
                json.dumps(wall.as_dict()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                env={**_clean_environment(), **_ONE_THREAD, **env, _MARK: mark},
                pass_fds=(its.fileno(),),
                start_new_session=True,
            )
            held.pop_all()
        zygote = cls(process, ours, mark)
        zygote._uids = uids
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                await zygote._ready
                zygote.ready_s = time.monotonic()
                zygote._pulse = ZygotePulse(process.pid, zygote._ping, zygote.condemn)
        except BaseException as error:
            await zygote.bury()
            if isinstance(error, TimeoutError):
                raise ZygoteFailed(f"the zygote was not ready within {_START_LIMIT_S:g} s") from None
            raise
        return zygote

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    async def fork(self, descriptors: tuple[int, int, int], home: Home) -> SandboxProcess:
        """Fork a sandbox.

        Args:
            descriptors: the sandbox's end of the pipe, the heartbeat page, the log pipe; they stay open here.
            home: its folders.

        Raises:
            ZygoteFailed: it refused, or did not answer within the limit and was killed.
        """
        self._last_id += 1
        number = self._last_id
        forked: asyncio.Future[tuple[int, int]] = self._loop.create_future()
        exited: asyncio.Future[ChildExit | None] = self._loop.create_future()
        self._forks[number], self._exits[number] = forked, exited
        try:
            zygote_protocol.send(self._socket, {"id": number, "home": home.as_request()}, descriptors)
            async with asyncio.timeout(_FORK_LIMIT_S):
                pid, pidfd = await forked
        except (OSError, TimeoutError) as error:  # TimeoutError is an OSError; naming it shows that it is expected
            self.condemn("the process that runs its sandbox (the zygote) did not fork and was killed")
            raise ZygoteFailed(f"the zygote did not fork: {error!r}") from None
        except asyncio.CancelledError:
            self.condemn(None)  # else a child might appear that no run owns
            raise
        finally:
            self._forks.pop(number, None)
        return SandboxProcess(pid, pidfd, exited, home)

    def condemn(self, fault: str | None) -> None:
        """Kill a zygote; its sandboxes die with it. `fault` says what is wrong with it, None when nothing is."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._lost(fault)

    async def bury(self) -> None:
        """End the zygote and everything it started, and reap it; may be called again."""
        async with self._burying:
            if self._is_buried:
                return
            self._lost(None)
            self._socket.close()  # it then kills all sandboxes and their strays, and exits
            try:
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
            await asyncio.to_thread(kill_marked, f"{_MARK}={self._mark}")
            await asyncio.to_thread(kill_sessions, dict(self._forked.values()), {os.geteuid(), *self._uids()})
            await asyncio.to_thread(kill_uids, self._uids())
            self._is_buried = True

    async def bury_if_gone(self) -> None:
        """Kill and reap what a zygote left behind, if it has ended."""
        if self.is_gone:
            await self.bury()

    def _receive(self) -> None:
        while not self.is_gone:
            try:
                packet = zygote_protocol.receive(self._socket)
            except BlockingIOError:
                return
            if packet is None:
                self._lost(_ENDED)
                return
            self._take(*packet)

    def _take(self, packet: dict[str, Any], descriptors: list[int]) -> None:
        number = packet.get("id", 0)
        self._note_sandbox(packet)
        match packet["event"]:
            case "ready" if not self._ready.done():
                self.no_uid = packet["no_uid"]
                self._ready.set_result(None)
            case "forked" if (forked := self._forks.get(number)) is not None and not forked.done():
                forked.set_result((packet["pid"], descriptors.pop()))
            case "refused" if (forked := self._forks.get(number)) is not None and not forked.done():
                self._exits.pop(number, None)
                forked.set_exception(ZygoteFailed(packet["reason"]))
            case "pong" if self._pulse is not None:
                self._pulse.answered()
            case "exited" if (exited := self._exits.pop(number, None)) is not None and not exited.done():
                exited.set_result(ChildExit(packet["code"], packet["survivors"]))
        for descriptor in descriptors:
            os.close(descriptor)

    def _note_sandbox(self, packet: dict[str, Any]) -> None:
        """Keep in mind which sandboxes live; the pid of one that ended may soon be another process's."""
        match packet:
            case {"event": "forked", "id": number, "pid": pid} if (started := started_at(pid)) is not None:
                self._forked[number] = (pid, started)
            case {"event": "exited", "id": number}:
                self._forked.pop(number, None)

    def _ping(self) -> None:
        with suppress(OSError):  # it does not read: then it does not answer either
            zygote_protocol.send(self._socket, {"ping": True})

    def _lost(self, fault: str | None) -> None:
        if self.is_gone:
            return
        self.is_gone = True
        self.fault = fault
        if self._pulse is not None:
            self._pulse.stop()
        self._loop.remove_reader(self._socket.fileno())
        gone = ZygoteFailed("the zygote ended")
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._forks.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(gone)
        for exited in self._exits.values():
            if not exited.done():
                exited.set_result(None)
        self._exits.clear()


def _clean_environment() -> dict[str, str]:
    # A list of what is allowed: the names of other people's secrets cannot be listed.
    names = {*_PASSED_ON, *_OF_GPUS}
    return {name: value for name, value in os.environ.items() if name in names or name.startswith(_PASSED_ON_PREFIXES)}

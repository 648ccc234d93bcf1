"""One `forgesyte up` of a checkout, and the CPU seconds that its whole process tree has used.

The root of the tree is a holder, a process that only adopts orphans (PR_SET_CHILD_SUBREAPER) and does not reap them
before the end. So at any quiet moment the CPU time of everything that ever ran below it can be read: the kernel adds
the time of a reaped child, and of all its reaped descendants, to its parent, and a process that is alive or not yet
reaped still has an entry in /proc. Rejected: cgroups (need rights that a container does not give) and sampling (misses
sandboxes that live for a few milliseconds).
"""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support import TEST_PLUGINS, eventually
from tests.support.nats import free_port

READY_LIMIT_S = 150.0
STOP_LIMIT_S = 60.0
SETTLE_S = 0.3
_PR_SET_CHILD_SUBREAPER = 36
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ServerTree:
    """A running product.

    Attributes:
        url: where it answers.
    """

    def __init__(self, holder: asyncio.subprocess.Process, url: str) -> None:
        self._holder = holder
        self.url = url

    async def cpu_s(self) -> float:
        """Return the CPU seconds, user and system, of all processes that run or ran in the tree.

        It waits a moment first, in which the sandboxes of the last job end.
        """
        await asyncio.sleep(SETTLE_S)
        return sum(_ticks(pid) for pid in _descendants(self._holder.pid)) / _TICKS_PER_S


@asynccontextmanager
async def serving(checkout: Path, folder: Path, *, slots: int = 2) -> AsyncIterator[ServerTree]:
    """Run `forgesyte up` of a checkout, with its own .venv, an empty data folder and free ports.

    Args:
        checkout: the root of a checkout in which `make setup` has run.
        folder: an existing empty folder, for the data and the log.
        slots: how many jobs run at once.

    Raises:
        AssertionError: the product was not ready in time.
    """
    port, log = free_port(), folder / "up.log"
    up = [str(checkout / ".venv" / "bin" / "forgesyte"), "up", "--port", str(port), "--slots", str(slots)]
    command = [sys.executable, "-m", "benchmarks.server_tree", *up, "--data-dir", str(folder / "data")]
    settings = {"PYTHONPATH": TEST_PLUGINS, "FORGESYTE_OPS_PORT": "-1", "FORGESYTE_JOB_API_OPS_PORT": "-1"}
    with log.open("wb") as out:
        holder = await asyncio.create_subprocess_exec(
            *command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **settings},
        )
    try:
        await eventually(lambda: "ready http://" in log.read_text(errors="replace"), READY_LIMIT_S, f"ready in {log}")
        yield ServerTree(holder, f"http://127.0.0.1:{port}")
    finally:
        holder.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await holder.wait()
        except TimeoutError:
            for pid in (*_descendants(holder.pid), holder.pid):
                os.kill(pid, signal.SIGKILL)
            await holder.wait()


def _descendants(pid: int) -> set[int]:
    """Return all processes below `pid`, zombies included."""
    found: set[int] = set()
    level = {pid}
    while level:
        level = {child for parent in level for child in _children(parent)} - found
        found |= level
    return found


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.update(map(int, (thread / "children").read_text().split()))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def _ticks(pid: int) -> int:
    """Return the clock ticks that a process and its reaped descendants used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime


def hold(command: list[str]) -> int:
    """Run a command as the holder: adopt its orphans, pass SIGTERM on as Ctrl-C, and return its exit code."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
        return child.wait()


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1:]))

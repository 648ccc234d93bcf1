"""The data folder of a one-box run: what lies where, and the lock that gives it to one launcher at a time.

The lock is a flock, so the kernel frees it when its holders are dead and there is nothing stale to clean up. Its
descriptor is also handed to nats-server: a folder is free only when no nats-server writes into it any more. A pid file
was rejected: after a kill -9 it names a process that is gone, or worse, somebody else's.
"""

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from forgesyte_contracts.problems import Code, ForgeSyteError

DYING_LIMIT_S = 5.0
"""How long a new launcher waits for what a killed one left behind to die."""

_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folders of one run under `root` (absolute): each is made by open_folder()."""

    root: Path
    lock_fd: int

    @property
    def nats(self) -> Path:
        """JetStream's store: records and work."""
        return self.root / "nats"

    @property
    def store(self) -> Path:
        """Blobs: inputs, row segments, results."""
        return self.root / "store"

    @property
    def scratch(self) -> Path:
        """Files of jobs that run now; worthless afterwards."""
        return self.root / "scratch"

    @property
    def logs(self) -> Path:
        """One log file a child."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Lock, token, configuration and ports of the present run."""
        return self.root / "run"

    def keep_token(self) -> str:
        """Give the bus's password; the first call ever makes it, in a file that its owner alone may read."""
        file = self.run / "bus-token"
        with suppress(FileNotFoundError):
            if token := file.read_text().strip():
                return token
        write_secret(file, secrets.token_urlsafe(32))
        return file.read_text().strip()


def write_secret(file: Path, text: str) -> None:
    """Replace `file` at once by one with `text` that only its owner may read."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)


@asynccontextmanager
async def open_folder(path: Path, *, wait_s: float = DYING_LIMIT_S) -> AsyncIterator[DataFolder]:
    """Make the data folder if needed and hold it until the end of the block.

    Args:
        path: the folder; relative to the working directory if not absolute.
        wait_s: how long to wait for a dead launcher's children; a living launcher is refused at once.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when another launcher uses it or it can not be written.
    """
    root, lock_fd = _make(path)
    try:
        await _take(lock_fd, root, wait_s)
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, str(os.getpid()).encode(), 0)
        yield DataFolder(root, lock_fd)
    finally:
        os.close(lock_fd)


def _make(path: Path) -> tuple[Path, int]:
    root = path.expanduser().absolute()
    try:
        for name in ("nats", "store", "scratch", "logs", "run"):
            (root / name).mkdir(parents=True, exist_ok=True)
        return root, os.open(root / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ForgeSyteError(
            Code.SERVICE_UNAVAILABLE,
            f"the data folder {root} can not be used: {error.strerror}. Choose another one with --data-dir.",
        ) from error


async def _take(lock_fd: int, root: Path, wait_s: float) -> None:
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + wait_s
    while True:
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(lock_fd, 32, 0).decode(errors="replace").strip()
            if _is_launcher_alive(pid) or clock() > deadline_s:
                raise ForgeSyteError(
                    Code.SERVICE_UNAVAILABLE,
                    f"the data folder {root} is in use by process {pid or '(unknown)'}. Stop that one "
                    f"(kill {pid or 'PID'}), or choose another folder with --data-dir.",
                ) from error
        else:
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


def _is_launcher_alive(pid: str) -> bool:
    """Tell whether the process lives; a zombie does not: it may wait for its parent while its children still die."""
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except (ValueError, psutil.Error):
        return False

"""The data folder of a one-box run: what lies where, and the lock that gives it to one launcher at a time.

The lock (chassis/owned_folder.py) is also handed to nats-server: the folder is free only when no nats-server writes to
it any more. The pid in the lock file is for the error message alone.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from forgesyte_chassis.owned_folder import open_lock, try_lock
from forgesyte_contracts.problems import Code, ForgeSyteError

LOCK_FILE = Path("run", "lock")
"""The lock of a data folder, inside it."""

DYING_LIMIT_S = 5.0
"""How long a new launcher waits for the children of a killed one to die."""

_RETRY_S = 0.05


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folders of one run under `root` (absolute), made by open_folder()."""

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
        """Files of running jobs; worthless afterwards."""
        return self.root / "scratch"

    @property
    def logs(self) -> Path:
        """One log file per child."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Lock, token, configuration and ports of this run."""
        return self.root / "run"

    def keep_token(self) -> str:
        """Return the bus's token; the first call ever makes it, in a file that only its owner may read."""
        file = self.run / "bus-token"
        with suppress(FileNotFoundError):
            if token := file.read_text().strip():
                return token
        write_secret(file, secrets.token_urlsafe(32))
        return file.read_text().strip()


def write_secret(file: Path, text: str) -> None:
    """Replace `file` atomically by one that holds `text` and that only its owner may read."""
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
        wait_s: how long to wait for a dead launcher's children; while another launcher lives, the call fails at once.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when another launcher uses it or it cannot be written.
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
        return root, open_lock(root / LOCK_FILE)
    except OSError as error:
        raise ForgeSyteError(
            Code.SERVICE_UNAVAILABLE,
            f"the data folder {root} cannot be used: {error.strerror}. Choose another one with --data-dir.",
        ) from error


async def _take(lock_fd: int, root: Path, wait_s: float) -> None:
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + wait_s
    while not try_lock(lock_fd):
        pid = os.pread(lock_fd, 32, 0).decode(errors="replace").strip()
        if _is_launcher_alive(pid) or clock() > deadline_s:
            raise ForgeSyteError(
                Code.SERVICE_UNAVAILABLE,
                f"the data folder {root} is in use by process {pid or '(unknown)'}. Stop that process "
                f"(kill {pid or 'PID'}), or choose another folder with --data-dir.",
            )
        await asyncio.sleep(_RETRY_S)


def _is_launcher_alive(pid: str) -> bool:
    """Return whether the process lives; a zombie does not: it waits to be reaped while its children still die."""
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except (ValueError, psutil.Error):
        return False

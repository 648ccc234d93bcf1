"""The data folder of a one-box run: what lies where, and the lock that gives it to one launcher at a time.

The lock (chassis/owned_folder.py) is also handed to nats-server: the folder is free only when no nats-server writes to
it any more. The pid in the lock file is for the error message alone.

No other user of the machine may read what is here: media, results, records, logs, the token. So each folder is closed
to others, also one that an older version made. Only where sandboxes have uids of their own, which is as root, others
may pass through the data folder and `scratch`, and list neither: a sandbox's home is below them.
"""

import asyncio
import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from forgesyte_chassis.owned_folder import close_to_others, open_lock, try_lock
from forgesyte_contracts.problems import Code, ForgeSyteError

LOCK_FILE = Path("run", "lock")
"""The lock of a data folder, inside it."""

DYING_LIMIT_S = 5.0
"""How long a new launcher waits for the children of a killed one to die."""

MOST_PATH_BYTES = 2000
"""How long the path of a data folder may be. The kernel takes 4095 bytes, and files lie deep inside."""

_FOLDERS = ("nats", "store", "scratch", "logs", "run")
_RETRY_S = 0.05
_SHOWN_CHARS = 80
_CHOOSE = "Choose another one with --data-dir."

log = structlog.get_logger(__name__)


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
    """Make the data folder if needed, close it to other users, and hold it until the end of the block.

    Args:
        path: the folder; relative to the working directory if not absolute.
        wait_s: how long to wait for a dead launcher's children; while another launcher lives, the call fails at once.

    Raises:
        ForgeSyteError: REQUEST_INVALID when it cannot be a data folder; SERVICE_UNAVAILABLE when another launcher uses
            it or it cannot be written.
    """
    root, lock_fd = _make(_checked(path))
    try:
        await _take(lock_fd, root, wait_s)
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, str(os.getpid()).encode(), 0)
        await asyncio.to_thread(_close_to_others, root)
        yield DataFolder(root, lock_fd)
    finally:
        os.close(lock_fd)


def _checked(path: Path) -> Path:
    """Return the absolute path of a folder that can be a data folder."""
    try:
        root = path.expanduser().absolute()
    except RuntimeError:  # there is no such user
        raise _refused(path, "no user has this name") from None
    try:
        length_bytes = len(str(root).encode())
    except UnicodeEncodeError:
        raise _refused(path, "its path is not valid UTF-8") from None
    if length_bytes > MOST_PATH_BYTES:
        raise _refused(path, f"its path has {length_bytes} bytes, and at most {MOST_PATH_BYTES} are possible")
    if os.pathsep in str(root):
        raise _refused(path, f"its path has a {os.pathsep!r}, which separates folders in settings")
    if root == root.parent:
        raise _refused(path, "the data needs a folder of its own")
    return root


def _refused(path: Path, why: str) -> ForgeSyteError:
    name = str(path)
    shown = f"{name[:_SHOWN_CHARS]!a}{'...' * (len(name) > _SHOWN_CHARS)}"
    return ForgeSyteError(Code.REQUEST_INVALID, f"the data folder cannot be {shown}: {why}. {_CHOOSE}")


def _make(root: Path) -> tuple[Path, int]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name in _FOLDERS:
            (root / name).mkdir(mode=stat.S_IRWXU | _passed(name), exist_ok=True)
        return root, open_lock(root / LOCK_FILE)
    except OSError as error:
        raise ForgeSyteError(
            Code.SERVICE_UNAVAILABLE, f"the data folder {root} cannot be used: {error.strerror}. {_CHOOSE}"
        ) from error


def _close_to_others(root: Path) -> None:
    """Take the permissions of other users away, where the folder is ours alone also from the data folder itself."""
    try:
        for name in _FOLDERS:
            close_to_others(root / name, but=_passed(name))
        if {entry.name for entry in root.iterdir()} <= set(_FOLDERS):
            root.chmod(root.stat().st_mode & (stat.S_IRWXU | _passed("scratch")))
    except OSError as error:
        log.warning("data folder stays open to other users", folder=str(root), reason=error.strerror)


def _passed(name: str) -> int:
    """Return what others may do with one of the folders: pass through `scratch`, as root."""
    return stat.S_IXGRP | stat.S_IXOTH if name == "scratch" and os.geteuid() == 0 else 0


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

"""The scratch folder of one process, and the sweep of those whose process is dead.

Several services may share the folder above. Each takes the same gate before it sweeps, so that a neighbour cannot
remove a folder that is made but not yet locked; none removes what is locked (owned_folder.py).
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from .owned_folder import exclusive, open_lock, remove_abandoned, try_lock
from .remove_tree import remove_tree

log = structlog.get_logger(__name__)

_LOCK = "lock"


class Scratch:
    """The open scratch folder of this process, at `path`."""

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        self._lock_fds = [lock_fd]

    @classmethod
    @asynccontextmanager
    async def open(cls, parent: Path, owner: str) -> "AsyncIterator[Scratch]":
        """Make this process's folder in `parent`, sweep those of dead processes, and remove it at the end.

        Args:
            parent: an absolute path; made when missing.
            owner: what the folder's name begins with, for an operator who looks.

        Raises:
            OSError: the folder cannot be made or locked.
        """
        path = parent / f"{owner}-{secrets.token_hex(8)}"
        lock, swept = await asyncio.to_thread(_make, path)
        if swept:
            log.info("scratch swept", folders=swept)
        try:
            yield (scratch := cls(path, lock))
        finally:
            await asyncio.to_thread(remove_tree, path)
            for lock_fd in scratch._lock_fds:
                os.close(lock_fd)

    def make_again(self) -> None:
        """Make the folder again after it was deleted; what was in it is lost (blocks).

        Raises:
            OSError: the folder cannot be made or locked.
        """
        if not (self.path / _LOCK).exists():
            lock_fd, _ = _make(self.path)
            self._lock_fds.append(lock_fd)

    @asynccontextmanager
    async def folder(self, purpose: str) -> AsyncIterator[Path]:
        """Make an empty folder for the block, whose name begins with `purpose`, and remove it afterwards.

        Raises:
            OSError: the folder cannot be made.
        """
        folder = self.path / f"{purpose}-{secrets.token_hex(8)}"
        await asyncio.to_thread(folder.mkdir, mode=0o700)
        try:
            yield folder
        finally:
            await asyncio.to_thread(remove_tree, folder)


def _make(path: Path) -> tuple[int, int]:
    """Make the folder; return its lock and how many folders of dead processes were swept."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)  # its name is random; there only when it is made again
    path.chmod(0o711)  # others may pass through to a folder that is meant for them; they cannot list what is here
    with exclusive(path.parent / _LOCK):
        lock_fd = open_lock(path / _LOCK)
        if not try_lock(lock_fd):
            raise BlockingIOError(f"another process holds the lock of {path}")
        return lock_fd, sum(remove_abandoned(file.parent, file) for file in path.parent.glob(f"*/{_LOCK}"))

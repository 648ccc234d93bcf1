"""The scratch folder of one process, and the removal of folders whose process is dead.

A lock (flock) on a file in the folder shows that its owner is alive: the kernel releases it at any death, so no pid
has to be trusted. Children started by exec do not inherit it. Several services may share the parent folder: each takes
the same gate before it sweeps, and none removes a locked folder.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_LOCK = "lock"


class Scratch:
    """The open scratch folder of this process, at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    @asynccontextmanager
    async def open(cls, parent: Path, owner: str) -> "AsyncIterator[Scratch]":
        """Create this process's folder in `parent`, sweep those of dead processes, and remove it at the end.

        Args:
            parent: an absolute path; created if missing.
            owner: the start of the folder's name, for people who look into the parent folder.

        Raises:
            OSError: the folder cannot be created or locked.
        """
        path = parent / f"{owner}-{secrets.token_hex(8)}"
        lock, swept = await asyncio.to_thread(_make, path)
        if swept:
            log.info("scratch swept", folders=swept)
        try:
            yield cls(path)
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
            os.close(lock)

    @asynccontextmanager
    async def folder(self, purpose: str) -> AsyncIterator[Path]:
        """Yield a new empty folder whose name begins with `purpose`; it is removed afterwards.

        Raises:
            OSError: the folder cannot be created, for example because the disk is full.
        """
        folder = self.path / f"{purpose}-{secrets.token_hex(8)}"
        await asyncio.to_thread(folder.mkdir, mode=0o700)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make(path: Path) -> tuple[int, int]:
    """Return the lock of the new folder and how many folders of dead processes were removed."""
    path.mkdir(mode=0o700, parents=True)
    gate = os.open(path.parent / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        # One at a time: another process that starts now must not sweep a folder that exists but is not yet locked.
        fcntl.flock(gate, fcntl.LOCK_EX)
        lock = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock, _sweep(path.parent)
    finally:
        os.close(gate)


def _sweep(parent: Path) -> int:
    """Remove the folders whose lock is free; a folder without a lock file belongs to something else and stays."""
    swept = 0
    for lock_file in parent.glob(f"*/{_LOCK}"):
        try:
            lock = os.open(lock_file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(lock_file.parent, ignore_errors=True)
            swept += 1
        finally:
            os.close(lock)
    return swept

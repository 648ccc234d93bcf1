"""The scratch folder of one life of a runner, and the sweep of those whose runner is dead.

A lock (flock) on a file in the folder says that its owner lives: the kernel drops it at any death, so no pid has to be
trusted. Children started by exec do not inherit it.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from forgesyte_contracts.ids import JobId, RunnerId

log = structlog.get_logger(__name__)

_LOCK = "lock"


class Scratch:
    """The open scratch folder of this runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    @asynccontextmanager
    async def open(cls, parent: Path, runner_id: RunnerId) -> "AsyncIterator[Scratch]":
        """Make this runner's folder in `parent` (an absolute path), sweep those of dead runners, remove it at the end.

        Raises:
            OSError: the folder can not be made or locked.
        """
        folder = parent / runner_id
        lock, swept = await asyncio.to_thread(_make, folder)
        if swept:
            log.info("scratch swept", folders=swept)
        try:
            yield cls(folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            os.close(lock)

    @asynccontextmanager
    async def job(self, job_id: JobId, attempt: int) -> AsyncIterator[Path]:
        """A folder for one attempt, gone afterwards.

        Raises:
            OSError: there is no room for it.
        """
        folder = self.folder / f"{job_id}-{attempt}"
        await asyncio.to_thread(folder.mkdir, mode=0o700)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make(folder: Path) -> tuple[int, int]:
    """Give the lock of the new folder and how many folders of dead runners were swept."""
    folder.mkdir(mode=0o700, parents=True)
    gate = os.open(folder.parent / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        # One at a time: a neighbour that starts now must not sweep a folder which is made but not yet locked.
        fcntl.flock(gate, fcntl.LOCK_EX)
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock, _sweep(folder.parent)
    finally:
        os.close(gate)


def _sweep(parent: Path) -> int:
    """Remove the folders whose lock nobody holds; a folder without a lock file is not ours and stays."""
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

"""Files in memory under names that the whole machine shares (/dev/shm); they outlive the processes that made them."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - multiprocessing's locks and queues live there
_BLOCK = 512

Inode = tuple[int, int]
"""Device and number of a file."""


def bytes_of_uid(uid: int) -> int:
    """Return the memory of the files that belong to `uid`."""
    return sum(facts.st_blocks * _BLOCK for _, facts in _entries() if facts.st_uid == uid)


def inodes() -> frozenset[Inode]:
    """Return the files that are there now."""
    return frozenset((facts.st_dev, facts.st_ino) for _, facts in _entries())


def remove_of_uid(uid: int) -> None:
    """Remove the files that belong to `uid`, of which no process may be alive."""
    _remove(path for path, facts in _entries() if facts.st_uid == uid)


def remove_inodes(found: frozenset[Inode]) -> None:
    """Remove those of the files that belong to this process's user."""
    if found:
        mine = os.geteuid()
        _remove(path for path, facts in _entries() if (facts.st_dev, facts.st_ino) in found and facts.st_uid == mine)


def _entries() -> list[tuple[str, os.stat_result]]:
    found = []
    # Without Path: this is done twice for each job, and other programs' files may be many.
    with suppress(OSError), os.scandir(SHARED_MEMORY) as entries:  # there may be no such folder
        for entry in entries:
            with suppress(OSError):  # gone meanwhile
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    found.append((entry.path, facts))
    return found


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(OSError):
            Path(path).unlink()

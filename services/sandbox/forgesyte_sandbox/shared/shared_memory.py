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
    _remove(entry for entry, facts in _entries() if facts.st_uid == uid)


def remove_inodes(found: frozenset[Inode]) -> None:
    """Remove those of the files that belong to this process's user."""
    if found:
        mine = os.geteuid()
        _remove(entry for entry, facts in _entries() if (facts.st_dev, facts.st_ino) in found and facts.st_uid == mine)


def _entries() -> list[tuple[Path, os.stat_result]]:
    found = []
    with suppress(OSError):  # there is no such folder
        for entry in SHARED_MEMORY.iterdir():
            with suppress(OSError):  # gone meanwhile
                facts = entry.lstat()
                if stat.S_ISREG(facts.st_mode):
                    found.append((entry, facts))
    return found


def _remove(entries: Iterable[Path]) -> None:
    for entry in entries:
        with suppress(OSError):
            entry.unlink()

"""Folders that belong to a living process, and the removal of those whose owner died.

The owner holds an exclusive lock (flock) on a file in the folder. The kernel releases it when every process that holds
the descriptor is dead, so a lock is never stale. Rejected: a pid file, which after a kill -9 names a process that is
gone, or worse, an unrelated one.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .remove_tree import remove_tree


def open_lock(file: Path) -> int:
    """Open a lock file, made if missing and readable by its owner alone; the caller closes the descriptor.

    Children do not inherit the descriptor unless it is passed to them; one that inherits it holds the lock as well.

    Raises:
        OSError: the file cannot be opened.
    """
    return os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def try_lock(lock_fd: int) -> bool:
    """Take the lock for as long as the descriptor stays open; return False when another process holds it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Let one process at a time into the block; the others wait.

    Raises:
        OSError: the lock file cannot be opened.
    """
    lock_fd = open_lock(file)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock_fd)


def remove_abandoned(folder: Path, lock_file: Path, *, must_have_lock: bool = True) -> bool:
    """Remove a folder whose lock no process holds.

    Args:
        folder: what to remove.
        lock_file: the owner's lock; a symbolic link in its place is never followed, and the folder stays.
        must_have_lock: whether a folder without a lock file stays, as one that was never ours.

    Returns:
        Whether the folder is gone.
    """
    try:
        lock_fd = os.open(lock_file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return not must_have_lock and _remove(folder)
    except OSError:
        return False
    try:
        return try_lock(lock_fd) and _remove(folder)
    except OSError:
        return False
    finally:
        os.close(lock_fd)


def _remove(folder: Path) -> bool:
    remove_tree(folder)
    return not folder.exists()

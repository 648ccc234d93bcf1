"""Folders that belong to a living process, closed to other users, and the removal of those whose owner died.

The owner holds an exclusive lock (flock) on a file in the folder. The kernel releases it when every process that holds
the descriptor is dead, so a lock is never stale. Rejected: a pid file, which after a kill -9 names a process that is
gone, or worse, an unrelated one.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


def close_to_others(folder: Path, *, but: int = 0) -> None:
    """Take from group and others what they may do with a folder, and with everything in it if it was open to them.

    What is in a closed folder is out of their reach, so it is looked at once, and not at every start. Links are left
    as they are, and so is what they lead to.

    Args:
        folder: it exists.
        but: permissions of group and others that the folder itself keeps, if it has them.

    Raises:
        OSError: a mode cannot be changed, for example because the folder belongs to another user.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    closed = mode & (stat.S_IRWXU | but)
    if mode == closed:
        return
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            _close(path)
        if Path(parent) != folder:
            _close(Path(parent))
    folder.chmod(closed)  # last: if this is interrupted, the next call finds the folder open and begins again


def _close(path: Path) -> None:
    with suppress(FileNotFoundError):  # a dying process may still remove what is its own
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & stat.S_IRWXU)


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

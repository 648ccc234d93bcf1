"""Data folders that live as long as one command, and the removal of those whose command was killed.

A killed command can not tidy up, so the next one does. Whether a folder is still in use is asked of the kernel: its
lock is held by the launcher and by its nats-server, and is free only when both are dead (folder.py).
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR

PREFIX = "forgesyte-run-"

_YOUNG_S = 60.0
"""A folder changed more recently than this is left alone: its command may be about to take the lock."""


@contextmanager
def temporary_data() -> Iterator[Path]:
    """Give an empty folder for a server's data, removed at the end of the block; sweeps what killed ones left."""
    sweep(Path(tempfile.gettempdir()))
    # Children may still write a last line while the folder goes; what is left then goes with the next sweep.
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as root:
        yield Path(root)


def sweep(parent: Path, *, young_s: float = _YOUNG_S) -> list[Path]:
    """Remove the folders in `parent` that killed commands of this user left.

    Args:
        parent: where temporary folders are made.
        young_s: what changed within so many seconds is left alone.

    Returns:
        The folders that are gone now.
    """
    return [folder for folder in sorted(parent.glob(f"{PREFIX}*")) if _is_stale(folder, young_s) and _remove(folder)]


def _is_stale(folder: Path, young_s: float) -> bool:
    """Tell whether it may be looked at: a real folder of ours that nobody has just made. Others may write in /tmp."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    is_ours = S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return is_ours and time.time() - found.st_mtime > young_s


def _remove(folder: Path) -> bool:
    lock_fd = -1
    with suppress(FileNotFoundError):
        lock_fd = os.open(folder / "run" / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if lock_fd >= 0:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return False
    finally:
        if lock_fd >= 0:
            os.close(lock_fd)
    return not folder.exists()

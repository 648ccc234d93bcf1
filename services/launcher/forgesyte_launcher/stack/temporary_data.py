"""Data folders that live as long as one command, and the removal of those whose command was killed.

A killed command cannot clean up, so the next one does. The lock of a folder is held by its launcher and by its
nats-server, so the folder counts as abandoned only when both are dead (data_folder.py).
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR

from forgesyte_chassis.owned_folder import remove_abandoned

from .data_folder import LOCK_FILE

PREFIX = "forgesyte-run-"

_YOUNG_S = 60.0
"""A folder changed more recently than this is left alone: its command may be about to take the lock."""


@contextmanager
def temporary_data() -> Iterator[Path]:
    """Make an empty data folder and remove it after the block; folders that killed commands left are removed first."""
    sweep(Path(tempfile.gettempdir()))
    # Children may still write a last line while the folder is removed; the next sweep takes what is left.
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as root:
        yield Path(root)


def sweep(parent: Path, *, young_s: float = _YOUNG_S) -> list[Path]:
    """Remove the folders in `parent` that killed commands of this user left.

    Args:
        parent: where temporary folders are made.
        young_s: folders changed within this many seconds are left alone.

    Returns:
        The removed folders.
    """
    return [
        folder
        for folder in sorted(parent.glob(f"{PREFIX}*"))
        if _may_be_abandoned(folder, young_s) and remove_abandoned(folder, folder / LOCK_FILE, must_have_lock=False)
    ]


def _may_be_abandoned(folder: Path, young_s: float) -> bool:
    """Return whether it is a real folder of this user and not a new one; other users may write in /tmp too."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    is_ours = S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return is_ours and time.time() - found.st_mtime > young_s

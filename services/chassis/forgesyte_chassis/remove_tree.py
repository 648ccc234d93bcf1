"""Removes a folder whatever plugin code has left in it, without following a link.

Every step names an entry of an open folder, so nothing outside is ever touched, not even when a process that outlived
its service puts a link in place of a folder meanwhile. A folder inside is emptied and its own folders are moved up
beside it; so no depth costs a recursion, a long path or a descriptor. Rejected: shutil.rmtree, which raises
RecursionError at a thousand nested folders and gives up at one without permissions.
"""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

_AS_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC
_MOST_S = 60.0
_MOST_IDLE_ROUNDS = 3


def remove_tree(folder: Path) -> None:
    """Remove a folder and everything in it, without following a link; what cannot be removed stays."""
    with suppress(OSError):
        folder_fd = _open_folder(folder)
        try:
            _empty(folder_fd)
        finally:
            os.close(folder_fd)
        folder.rmdir()


def _empty(folder_fd: int) -> None:
    """Remove what is in a folder, in a round for each level of the deepest tree."""
    until_s = time.monotonic() + _MOST_S  # a living process may add to it all the time
    before, idle_rounds = set[str](), 0
    while (left := {*_names(folder_fd)}) and idle_rounds < _MOST_IDLE_ROUNDS and time.monotonic() < until_s:
        for name in left:
            with suppress(OSError):
                if not _unlink(name, folder_fd):
                    _flatten(name, folder_fd)
        before, idle_rounds = left, idle_rounds + 1 if left == before else 0


def _flatten(name: str, parent_fd: int) -> None:
    """Remove a folder; the folders in it become its parent's, for the next round."""
    folder_fd = _open_folder(name, dir_fd=parent_fd)
    try:
        for inner in _names(folder_fd):
            with suppress(OSError):
                if not _unlink(inner, folder_fd):
                    _move_up(inner, folder_fd, parent_fd)
    finally:
        os.close(folder_fd)
    os.rmdir(name, dir_fd=parent_fd)


def _move_up(name: str, from_fd: int, to_fd: int) -> None:
    # Moving a folder changes its entry `..`, which needs the permission to write in it.
    os.close(_open_folder(name, dir_fd=from_fd))
    os.rename(name, f".moved-up-{secrets.token_hex(8)}", src_dir_fd=from_fd, dst_dir_fd=to_fd)


def _names(folder_fd: int) -> list[str]:
    return os.listdir(folder_fd)


def _unlink(name: str, folder_fd: int) -> bool:
    """Remove an entry that is no folder; return whether it was none."""
    try:
        os.unlink(name, dir_fd=folder_fd)
    except IsADirectoryError:
        return False
    return True


def _open_folder(path: Path | str, *, dir_fd: int | None = None) -> int:
    """Open a folder with all permissions for its owner, which are given to it when they are missing.

    Raises:
        OSError: it is not there, or is no folder.
    """
    bare = os.open(path, _AS_FOLDER | os.O_PATH | os.O_NOFOLLOW, dir_fd=dir_fd)
    try:
        opened = f"/proc/self/fd/{bare}"  # this very folder, whatever is in its place meanwhile
        if os.fstat(bare).st_mode & 0o700 != 0o700:
            os.chmod(opened, 0o700)  # noqa: PTH101 - the very folder that is open, which no Path names
        return os.open(opened, _AS_FOLDER | os.O_RDONLY)
    finally:
        os.close(bare)

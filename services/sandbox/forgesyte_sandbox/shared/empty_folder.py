"""Empties folders in which plugin code wrote, whatever it left there, without following a link.

Every step names an entry of an open folder, so nothing outside is ever touched. A folder inside is emptied and its own
folders are moved up beside it; so no depth costs a recursion, a long path or a descriptor. Rejected: shutil.rmtree,
which raises RecursionError at 1000 nested folders and gives up at a folder without permissions.
"""

import errno
import os
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

_AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_S = 60.0
_MOVED = ".moved-up-"


def empty_folder(path: Path, *, keep: tuple[str, ...] = ()) -> None:
    """Remove everything in a folder; the folder itself stays.

    Args:
        path: the folder; a link in its place is refused.
        keep: names of entries that stay as they are.

    Raises:
        OSError: something cannot be removed, or a living process adds to it all the time.
    """
    folder_fd = open_folder(path)
    try:
        _empty(folder_fd, frozenset(keep))
    finally:
        os.close(folder_fd)


def remove_folder(path: Path) -> None:
    """Remove a folder and everything in it; nothing happens when it is not there.

    Raises:
        OSError: something cannot be removed.
    """
    with suppress(FileNotFoundError):
        empty_folder(path)
        path.rmdir()


def _empty(folder_fd: int, keep: frozenset[str]) -> None:
    numbers = count()
    until_s = time.monotonic() + _MOST_S
    while time.monotonic() < until_s:  # a round for each level of the deepest tree
        left = [name for name in _names(folder_fd) if name not in keep]
        if not left:
            return
        for name in left:
            if not _unlink(name, folder_fd):
                _flatten(name, folder_fd, numbers)
    raise OSError(errno.ENOTEMPTY, "a living process adds to a folder that is to be emptied")


def _flatten(name: str, parent_fd: int, numbers: "count[int]") -> None:
    """Remove a folder; the folders in it become its parent's, for the next round."""
    try:
        folder_fd = open_folder(Path(name), dir_fd=parent_fd)
    except FileNotFoundError:
        return
    try:
        for inner in _names(folder_fd):
            if not _unlink(inner, folder_fd):
                _move_up(inner, folder_fd, parent_fd, numbers)
    finally:
        os.close(folder_fd)
    with suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=parent_fd)


def _move_up(name: str, from_fd: int, to_fd: int, numbers: "count[int]") -> None:
    with suppress(FileNotFoundError):
        # Moving a folder changes its entry `..`, which needs the permission to write in it.
        os.close(open_folder(Path(name), dir_fd=from_fd))
    for number in numbers:
        try:
            os.rename(name, f"{_MOVED}{number}", src_dir_fd=from_fd, dst_dir_fd=to_fd)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        else:
            return


def _names(folder_fd: int) -> list[str]:
    return os.listdir(folder_fd)


def _unlink(name: str, folder_fd: int) -> bool:
    """Remove an entry that is no folder; return whether it is gone."""
    try:
        os.unlink(name, dir_fd=folder_fd)
    except FileNotFoundError:
        return True
    except IsADirectoryError:
        return False
    return True


def open_folder(path: Path, *, dir_fd: int | None = None) -> int:
    """Open a folder with all permissions for its owner, which are given to it when they are missing.

    Raises:
        OSError: it is not there, or is no folder.
    """
    bare = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        if os.fstat(bare).st_mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{bare}", 0o700)  # noqa: PTH101 - a descriptor: the path may be replaced meanwhile
        return os.open(f"/proc/self/fd/{bare}", _AS_FOLDER & ~os.O_NOFOLLOW)
    finally:
        os.close(bare)

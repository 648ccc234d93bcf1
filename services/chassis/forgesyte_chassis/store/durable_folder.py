"""What obstore lacks for a reliable store in a folder: syncing to disk, modes, removing leftovers and empty folders.

obstore writes `name#1` and renames it, without any fsync (seen with strace). After a power loss the record on the
bus, which is synced, would then name a blob that is empty or gone. So after each put the file and every folder from
it up to the root are synced before the call returns; until then no record names the blob, so the order rename, fsync
loses nothing. A put that is killed half-way leaves its `name#1`, which obstore never lists: sweep() finds it by reading
the folders.

obstore makes files and folders as the umask allows, which is readable by every user. The root's own mode decides here:
to whom it is closed, what is put into it is closed too. So an operator opens a store to a group by opening its folder.
"""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

_LEFTOVER = re.compile(r"#\d+$")


class DurableFolder:
    """The folder of a store; its methods block, so call them in a thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modes = stat.S_IRWXU | stat.S_IMODE(root.stat().st_mode)

    def persist(self, path: str) -> None:
        """Sync a blob and the folders above it to the disk, and close them to whom the root is closed.

        Raises:
            OSError: the disk failed, or the blob was removed in the meantime.
        """
        file = self._root / path
        self._sync(file)
        for folder in self._above(file):
            self._sync(folder)
        self._sync(self._root)

    def drop_empty_above(self, path: str) -> None:
        """Remove the folders that a failed put created, if they are empty."""
        for folder in self._above(self._root / path):
            try:
                folder.rmdir()
            except OSError:
                return  # absent or in use: then so is everything above it

    def remove(self, prefix: str) -> None:
        """Remove a folder and its content; a missing folder is not an error."""
        folder = self._root / prefix
        if folder != self._root and folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, older_than_s: float) -> int:
        """Remove leftovers of killed puts that were not written to for `older_than_s` seconds; return how many."""
        newest = time.time() - older_than_s
        count = 0
        for entry in list(_leftovers(self._root)):
            try:
                if entry.stat().st_mtime <= newest:
                    Path(entry.path).unlink()
                    count += 1
            except FileNotFoundError:
                continue  # its put finished after all
        return count

    def _sync(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            facts = os.fstat(descriptor)
            mode = stat.S_IMODE(facts.st_mode)
            if mode & ~self._modes and facts.st_uid == os.geteuid():  # another service's folder is its own to close
                os.fchmod(descriptor, mode & self._modes)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _above(self, file: Path) -> Iterator[Path]:
        for folder in file.parents:
            if folder == self._root:
                return
            yield folder


def _leftovers(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _leftovers(Path(entry.path))
                elif _LEFTOVER.search(entry.name):
                    yield entry
    except FileNotFoundError:
        return  # removed while it was being read

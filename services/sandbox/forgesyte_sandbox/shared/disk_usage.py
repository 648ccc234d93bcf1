"""What the processes of a sandbox hold on disk: the files in its folder, and those without a name that they have open.

Blocks count, not the size that a file claims, and a file with several names counts once.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from .empty_folder import open_folder

_BLOCK = 512
_LONG_PATH = 2000
_MOST_ANCHORS = 64


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Bytes on disk, and the number of files and folders."""

    bytes: int = 0
    files: int = 0


def disk_usage(folder: Path, pids: Iterable[int], *, most_files: int) -> DiskUsage:
    """Measure a folder and what `pids` hold open on its file system without a name (blocks).

    A look costs at most `most_files` entries and a bit: beyond, what is left is not counted. Folders that are nested
    deeper than anything of use count as too many.

    Raises:
        OSError: the folder is not there.
    """
    walk = _Walk(most_files)
    with ExitStack() as held:
        walk.count_folder(folder, held)
    pids = tuple(pids)
    walk.count_open(pids, folder.stat().st_dev)
    walk.count_mapped(pids, os.fsencode(folder))
    return DiskUsage(walk.bytes, walk.files)


class _Walk:
    def __init__(self, most_files: int) -> None:
        self.bytes = self.files = 0
        self._most_files = most_files
        self._seen: set[tuple[int, int]] = set()
        self._seen_parts: set[tuple[bytes, ...]] = set()

    def count_folder(self, folder: Path, held: ExitStack) -> None:
        # Paths begin at a folder that is held open, since they can be longer than the kernel reads.
        waiting, anchors = [str(folder)], 0
        while waiting and self.files <= self._most_files:
            path = waiting.pop()
            if len(path) > _LONG_PATH:
                anchors += 1
                if anchors > _MOST_ANCHORS:
                    self.files = self._most_files + 1
                    return
                with suppress(OSError):
                    path = self._anchor(path, held)
            with suppress(OSError):  # gone meanwhile
                waiting += self._count_entries(path)

    def count_open(self, pids: Iterable[int], device: int) -> None:
        """Count files without a name, also of O_TMPFILE, that a process holds open."""
        for pid in pids:
            with suppress(OSError):  # the process is gone, or closed to us
                for entry in Path("/proc", str(pid), "fd").iterdir():
                    with suppress(OSError):  # closed meanwhile
                        facts = entry.stat()
                        if facts.st_nlink == 0 and facts.st_dev == device and stat.S_ISREG(facts.st_mode):
                            self._count(facts)

    def count_mapped(self, pids: Iterable[int], folder: bytes) -> None:
        """Count files of the folder that have neither name nor descriptor any more and are mapped.

        Where the kernel does not show their size, as much of them counts as is mapped.
        """
        for pid in pids:
            with suppress(OSError):  # the process is gone, or closed to us
                for line in Path("/proc", str(pid), "maps").read_bytes().splitlines():
                    if line.endswith(b" (deleted)") and (folder + b"/") in line:
                        self._count_mapping(pid, line)

    def _count_mapping(self, pid: int, line: bytes) -> None:
        where, _, _, device, number, _ = line.split(maxsplit=5)
        with suppress(FileNotFoundError):  # unmapped meanwhile
            try:
                self._count(Path("/proc", str(pid), "map_files", where.decode()).stat())
            except PermissionError:
                part = device, where, number
                is_known = any(inode == int(number) for _, inode in self._seen)
                if not is_known and part not in self._seen_parts:
                    self._seen_parts.add(part)
                    begin, _, end = where.partition(b"-")
                    self.bytes += int(end, 16) - int(begin, 16)

    def _anchor(self, path: str, held: ExitStack) -> str:
        folder_fd = open_folder(Path(path))
        held.callback(os.close, folder_fd)
        return f"/proc/self/fd/{folder_fd}"

    def _count_entries(self, path: str) -> list[str]:
        folders = []
        try:
            entries = os.scandir(path)
        except PermissionError:  # it must not be hidden by taking its permissions away
            os.close(open_folder(Path(path)))
            entries = os.scandir(path)
        with entries:
            for entry in entries:
                self._count(entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                if self.files > self._most_files:
                    break
        return folders

    def _count(self, facts: os.stat_result) -> None:
        inode = facts.st_dev, facts.st_ino
        if inode not in self._seen:
            self._seen.add(inode)
            self.bytes += facts.st_blocks * _BLOCK
            self.files += 1

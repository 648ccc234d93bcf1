"""What the processes of a sandbox hold on disk: the files in its folder, and those without a name that they have open.

Blocks count, not the size that a file claims, and a file with several names counts once.

A look at a living sandbox may meet a link in place of any folder, at any time. So each folder is opened by its bare
name in its open parent, never by a path, and no mode is ever changed: what cannot be read counts as too many.
"""

import os
import stat
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512
_MOST_LEVELS = 128
_MOST_SHOWN = 100
_one_at_a_time = threading.Lock()
"""A look holds a descriptor for each level that it is in; so many sandboxes cannot take all of a service's at once."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Bytes on disk, and the number of files and folders.

    Attributes:
        hidden: why some of them could not be counted, as a clause; then `files` is above the limit.
    """

    bytes: int = 0
    files: int = 0
    hidden: str = ""


def disk_usage(folder: Path, pids: Iterable[int], *, most_files: int) -> DiskUsage:
    """Measure a folder and what `pids` hold open on its file system without a name (blocks).

    A look costs at most `most_files` entries and a bit: beyond, what is left is not counted. Folders that are nested
    deeper than anything of use, or cannot be read, count as too many. Another file system is not entered.

    Raises:
        OSError: the folder is not there.
    """
    device = folder.lstat().st_dev
    walk = _Walk(device, most_files)
    with _one_at_a_time:
        walk.count_folder(folder)
    pids = tuple(pids)
    walk.count_open(pids)
    walk.count_mapped(pids, os.fsencode(folder))
    return DiskUsage(walk.bytes, walk.files, walk.hidden)


@dataclass(frozen=True, slots=True)
class _Level:
    """An open folder, and the names of the folders in it that are still to be counted."""

    fd: int
    name: str
    waiting: list[str] = field(default_factory=list)


class _Walk:
    def __init__(self, device: int, most_files: int) -> None:
        self.bytes = self.files = 0
        self.hidden = ""
        self._device = device
        self._most_files = most_files
        self._levels: list[_Level] = []
        self._seen: set[tuple[int, int]] = set()
        self._seen_parts: set[tuple[bytes, ...]] = set()

    def count_folder(self, folder: Path) -> None:
        """Count what is in a folder, depth first."""
        try:
            self._enter(_Level(os.open(folder, _AS_FOLDER), ""))
            while self._levels and self.files <= self._most_files:
                if self._levels[-1].waiting:
                    self._step_into(self._levels[-1].waiting.pop())
                else:
                    os.close(self._levels.pop().fd)
        except PermissionError:
            self._hide_unreadable()
        finally:
            while self._levels:
                os.close(self._levels.pop().fd)

    def _step_into(self, name: str) -> None:
        try:
            folder_fd = os.open(name, _AS_FOLDER, dir_fd=self._levels[-1].fd)
        except PermissionError:
            self._hide_unreadable(name)
        except (FileNotFoundError, NotADirectoryError):  # gone, or no folder any more
            pass
        else:
            self._enter(_Level(folder_fd, name))

    def _enter(self, level: _Level) -> None:
        self._levels.append(level)
        if os.fstat(level.fd).st_dev != self._device:
            return
        if len(self._levels) - 1 > _MOST_LEVELS:
            self._hide(f"folders in the scratch folder are nested deeper than {_MOST_LEVELS} levels")
            return
        with suppress(FileNotFoundError):  # removed meanwhile
            self._count_entries(level)

    def _count_entries(self, level: _Level) -> None:
        with os.scandir(level.fd) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # removed meanwhile
                    self._count(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        level.waiting.append(entry.name)
                if self.files > self._most_files:
                    break

    def _hide_unreadable(self, *names: str) -> None:
        path = "/".join([*(level.name for level in self._levels[1:]), *names])[-_MOST_SHOWN:]
        where = f"the folder {path!r} in the scratch folder" if path else "the scratch folder"
        self._hide(f"{where} cannot be read")

    def _hide(self, why: str) -> None:
        self.hidden = why
        self.files = self._most_files + 1

    def count_open(self, pids: Iterable[int]) -> None:
        """Count files without a name, also of O_TMPFILE, that a process holds open."""
        for pid in pids:
            with suppress(OSError):  # the process is gone, or closed to us
                for entry in Path("/proc", str(pid), "fd").iterdir():
                    with suppress(OSError):  # closed meanwhile
                        facts = entry.stat()
                        if facts.st_nlink == 0 and facts.st_dev == self._device and stat.S_ISREG(facts.st_mode):
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

    def _count(self, facts: os.stat_result) -> None:
        inode = facts.st_dev, facts.st_ino
        if inode not in self._seen:
            self._seen.add(inode)
            self.bytes += facts.st_blocks * _BLOCK
            self.files += 1

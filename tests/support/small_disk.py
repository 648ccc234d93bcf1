"""A small disk of its own for one test, which can be filled, made read-only and freed: a tmpfs; only root mounts it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_LARGE, _SMALL = 1 << 20, 512
FILLER = "filler"


class SmallDisk:
    """A mounted tmpfs at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: list[Path] = []

    def fill(self) -> None:
        """Take every byte that is left, also what another process frees meanwhile."""
        file = os.open(self.path / FILLER, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            for size in (_LARGE, _SMALL):
                with suppress(OSError):
                    while True:
                        os.write(file, bytes(size))
        finally:
            os.close(file)

    def fill_inodes(self) -> None:
        """Take every inode that is left."""
        with suppress(OSError):
            while True:
                file = self.path / f"{FILLER}-{len(self._files)}"
                file.touch()
                self._files.append(file)

    def free_one_inode(self) -> None:
        """Give back one of those that fill_inodes() took."""
        self._files.pop().unlink()

    def free(self) -> None:
        """Give back what fill() and fill_inodes() took."""
        (self.path / FILLER).unlink(missing_ok=True)
        while self._files:
            self._files.pop().unlink()

    def make_read_only(self) -> None:
        """Make it read-only, as a kernel does after an error; no process may have a file open for writing."""
        self._remount("ro")

    def make_writable(self) -> None:
        """Undo make_read_only()."""
        self._remount("rw")

    def _remount(self, mode: str) -> None:
        end_s = time.monotonic() + 10
        while True:  # a write may be under way
            done = subprocess.run(["mount", "-o", f"remount,{mode}", str(self.path)], capture_output=True, text=True)
            if done.returncode == 0:
                return
            assert time.monotonic() < end_s, done.stderr


@contextmanager
def small_disk(path: Path, *, size: str = "300m", inodes: int = 5_000) -> Iterator[SmallDisk]:
    """Mount a small disk for the block; the test is skipped where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    options = f"size={size},nr_inodes={inodes},mode=755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)

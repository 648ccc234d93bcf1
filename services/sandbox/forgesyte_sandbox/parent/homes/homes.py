"""The folders that sandboxes live in: one per slot, the same for all runs of the slot, and emptied after each.

A child is walled to its home by rules that hold for these very folders, so they are made once and never replaced. What
the child may read lies in `inbox`, what it may write in `scratch`, which is its working, home and temporary folder. A
home that cannot be emptied is never used again.
"""

import asyncio
import errno
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forgesyte_sandbox.shared.empty_folder import empty_folder, remove_folder
from forgesyte_sandbox.shared.kill import kill_uids
from forgesyte_sandbox.shared.shared_memory import remove_of_uid

from .uids import Uids

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Home:
    """One slot's folder.

    Attributes:
        path: the folder; of the service's own.
        uid: under which the sandbox in it runs; None is the service's own.
        inodes: of inbox and scratch, by which they are known.
    """

    path: Path
    uid: int | None
    inodes: tuple[int, int]

    @classmethod
    def make(cls, path: Path, uid: int | None = None) -> "Home":
        """Make the folders (blocks).

        Raises:
            OSError: they cannot be made.
        """
        for folder in (path, path / "inbox", path / "scratch"):
            folder.mkdir(mode=0o700)
            if uid is not None:
                os.chown(folder, uid if folder.name == "scratch" else -1, uid)
        home = cls(path, uid, _inodes(path))
        home._set_modes()
        return home

    @property
    def inbox(self) -> Path:
        """What the child may read."""
        return self.path / "inbox"

    @property
    def scratch(self) -> Path:
        """What the child may write."""
        return self.path / "scratch"

    def as_request(self) -> dict[str, Any]:
        """Return what the zygote is told of it."""
        return {"scratch": str(self.scratch), "inbox": str(self.inbox), "uid": self.uid}

    @property
    def is_there(self) -> bool:
        """Whether its folders are those that were made."""
        try:
            return _inodes(self.path) == self.inodes
        except OSError:
            return False

    def clear(self, *, keep: tuple[str, ...] = ()) -> None:
        """Remove what a run left and what it was given (blocks).

        Args:
            keep: names of entries of `scratch` that stay.

        Raises:
            OSError: something cannot be removed, or the folders are not those that were made.
        """
        empty_folder(self.inbox)
        empty_folder(self.scratch, keep=keep)
        empty_folder(self.path, keep=("inbox", "scratch"))
        if _inodes(self.path) != self.inodes:
            raise OSError(f"{self.path} was replaced")
        self._set_modes()

    def _set_modes(self) -> None:
        is_own = self.uid is not None
        self.path.chmod(0o710 if is_own else 0o700)
        self.inbox.chmod(0o750 if is_own else 0o700)
        self.scratch.chmod(0o700)


class Homes:
    """The homes of one zygote. Made by `async with Homes.open(...)`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._uids: Uids | None = None
        self._free: list[Home] = []
        self._made = 0
        self._returning: set[asyncio.Future[None]] = set()
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, root: Path | None = None) -> "AsyncIterator[Homes]":
        """Make the folder for all homes and remove it at the end.

        Args:
            root: made when missing; others may pass through it, but not list it. None is a temporary folder.

        Raises:
            OSError: it cannot be made, or holds something, which is not the homes' to remove.
        """
        homes = cls(await asyncio.to_thread(_make_root, root))
        try:
            yield homes
        finally:
            await homes._close()

    async def lease(self) -> Home:
        """Return an empty home that no other sandbox has; give_back() must follow.

        Raises:
            OSError: it cannot be made.
        """
        while self._free:
            home = self._free.pop()
            if home.is_there:
                return home
            log.warning("sandbox folder was deleted", extra={"folder": str(home.path)})
            if self._uids is not None and home.uid is not None:
                self._uids.release(home.uid)
        self._made += 1
        return await asyncio.to_thread(self._make, self.root / f"slot-{self._made - 1}")

    def use_uids(self, uids: Uids) -> None:
        """Give each home that is made from now on a uid of its own, out of `uids`."""
        self._uids = uids

    @property
    def uids(self) -> frozenset[int]:
        """The uids of the homes."""
        return frozenset() if self._uids is None else self._uids.leased

    async def give_back(self, home: Home) -> None:
        """Empty a home and keep it for the next sandbox; every process of it is dead."""
        await asyncio.shield(self.begin_return(home))  # a caller that is cancelled leaves no home half empty

    def begin_return(self, home: Home) -> "asyncio.Future[None]":
        """Begin what give_back() does and return what ends with it; never raises."""
        returning = asyncio.get_running_loop().run_in_executor(None, self._return, home)
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)
        return returning

    def _make(self, path: Path) -> Home:
        uid = None if self._uids is None else self._uids.lease()
        try:
            if not self.root.is_dir():  # it was deleted while the service ran
                self.root.mkdir(mode=0o700, parents=True)
                self.root.chmod(0o711)
            return Home.make(path, uid)
        except BaseException:
            if self._uids is not None and uid is not None:
                self._uids.release(uid)
            raise

    def _return(self, home: Home) -> None:
        if home.uid is not None:
            self._end_uid(home.uid)
        if self._is_closed:  # removed with everything in it
            return
        try:
            home.clear()
        except OSError as error:
            log.warning("sandbox folder abandoned", extra={"folder": str(home.path), "reason": str(error)})
            _remove_if_possible(home.path)
        else:
            self._free.append(home)

    def _end_uid(self, uid: int) -> None:
        if left := kill_uids({uid}):
            log.error("sandbox processes cannot be killed", extra={"uid": uid, "processes": left})
        remove_of_uid(uid)

    async def _close(self) -> None:
        self._is_closed = True
        while self._returning:
            await asyncio.wait(self._returning)
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        if self._uids is not None:
            kill_uids(self._uids.leased)
            for uid in self._uids.leased:
                remove_of_uid(uid)
            self._uids.close()
        _remove_if_possible(self.root)


def _make_root(root: Path | None) -> Path:
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="forgesyte-homes-"))
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(root.iterdir()):
        text = "the folder for the sandboxes is not empty; name one that is, or that is not there yet"
        raise OSError(errno.ENOTEMPTY, text, str(root))
    root.chmod(0o711)
    return root.resolve()


def _inodes(path: Path) -> tuple[int, int]:
    return (path / "inbox").lstat().st_ino, (path / "scratch").lstat().st_ino


def _remove_if_possible(path: Path) -> None:
    with suppress(OSError):
        remove_folder(path)

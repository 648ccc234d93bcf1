"""Uids that sandboxes run under, each leased by one service process of this machine at a time.

Two sandboxes under one uid could kill each other, read each other's files and use up each other's processes. So a lease
is a lock on a byte of a file that all services of the machine share; the kernel gives it back when the service dies. A
uid under which a process still runs, whatever it is, is skipped, and so is one that belongs to a user.

Services in different containers share the kernel's uids, not the file. So each begins to look at a place of its own in
the range, and no process of another PID namespace is killed.
"""

import fcntl
import os
import pwd
import socket
import stat
import struct
import threading
import zlib
from itertools import chain
from pathlib import Path

from forgesyte_sandbox.shared.kill import kill_uids
from forgesyte_sandbox.shared.process_tree import is_sandbox, processes_of, uids_in_use

LEASES = Path("/run/forgesyte/uids")


class NoFreeUid(OSError):
    """All uids that are set aside are taken."""


class Uids:
    """The leases of this process.

    Attributes:
        range: first and last uid that may be leased.
    """

    def __init__(self, range_: tuple[int, int], folder: Path = LEASES, *, start: int | None = None) -> None:
        """Make them.

        Args:
            range_: first and last uid that may be leased.
            folder: where the file with the locks is.
            start: which uid is looked at first; None follows from host name and process.
        """
        self.range = range_
        self._start = _own_start(range_) if start is None else start
        self._folder = folder
        self._leased: set[int] = set()
        self._file_fd: int | None = None
        self._one_at_a_time = threading.Lock()  # homes are made in threads, and the file's locks keep no thread out

    @property
    def leased(self) -> frozenset[int]:
        """The uids that this process holds."""
        return frozenset(self._leased)

    def lease(self) -> int:
        """Take a uid that no process runs under and no other service holds (blocks).

        Raises:
            NoFreeUid: there is none.
            OSError: the folder of the leases cannot be used.
        """
        _make_private(self._folder)
        with self._one_at_a_time:
            return self._lease()

    def _lease(self) -> int:
        busy = uids_in_use()
        for uid in chain(range(self._start, self.range[1] + 1), range(self.range[0], self._start)):
            if uid in self._leased or uid in busy or _is_a_user(uid) or not self._lock(uid):
                continue
            if uid not in uids_in_use():  # a dying service's processes may outlive its lock
                return uid
            self.release(uid)
        first, last = self.range
        raise NoFreeUid(
            f"each of the uids {first} to {last} is taken by another sandbox, a process or a user; raise their number "
            "with the setting sandbox_uids, or lower slots"
        )

    def end_abandoned(self) -> int:
        """Kill what the sandboxes of dead services left behind, and return how many uids that freed (blocks).

        When a service and its zygote die in one moment, or the zygote was stopped before, their sandboxes have no
        ancestor left that would. Only uids that no service holds are looked at, and only where a process is a
        sandbox's: another program that was given such a uid by mistake is left alone.
        """
        _make_private(self._folder)
        ended = 0
        with self._one_at_a_time:
            for uid in uids_in_use():
                if not self.range[0] <= uid <= self.range[1] or uid in self._leased or not self._lock(uid):
                    continue
                if any(map(is_sandbox, processes_of({uid}))):
                    ended += kill_uids({uid}) == 0
                self.release(uid)
        return ended

    def release(self, uid: int) -> None:
        """Give a uid back."""
        if uid in self._leased:
            self._leased.discard(uid)
            self._set_lock(uid, fcntl.F_UNLCK)

    def close(self) -> None:
        """Give all back."""
        self._leased.clear()
        if self._file_fd is not None:
            os.close(self._file_fd)
            self._file_fd = None

    def _lock(self, uid: int) -> bool:
        if self._file_fd is None:
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file_fd = os.open(self._folder / "leases", flags, 0o600)
        try:
            self._set_lock(uid, fcntl.F_WRLCK)
        except BlockingIOError:
            return False
        self._leased.add(uid)
        return True

    def _set_lock(self, uid: int, kind: int) -> None:
        """Lock or unlock the byte of a uid, for this open file: two of one process are apart, as those of two are."""
        if self._file_fd is not None:
            fcntl.fcntl(self._file_fd, fcntl.F_OFD_SETLK, struct.pack("@hhqqi", kind, os.SEEK_SET, uid, 1, 0))


def _own_start(range_: tuple[int, int]) -> int:
    # In a container the service is process 1, or nearly; the host name is another in each.
    who = f"{socket.gethostname()} {os.getpid()}".encode()
    first, last = range_
    return first + zlib.crc32(who) % (last - first + 1)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise PermissionError(f"{folder} must be a folder that only the service may write; remove it and start again")


def _is_a_user(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True

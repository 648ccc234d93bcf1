"""Uids that sandboxes run under, each leased by one service process of this machine at a time.

Two sandboxes under one uid could kill each other, read each other's files and use up each other's processes. So a lease
is a lock on a file that all services of the machine share; the kernel gives it back when the service dies. A uid under
which a process still runs, whatever it is, is skipped, and so is one that belongs to a user.
"""

import fcntl
import os
import pwd
import stat
from pathlib import Path

from forgesyte_sandbox.shared.process_tree import uids_in_use

LEASES = Path("/run/forgesyte/uids")


class NoFreeUid(OSError):
    """All uids that are set aside are taken."""


class Uids:
    """The leases of this process.

    Attributes:
        range: first and last uid that may be leased.
    """

    def __init__(self, range_: tuple[int, int], folder: Path = LEASES) -> None:
        self.range = range_
        self._folder = folder
        self._locks: dict[int, int] = {}

    @property
    def leased(self) -> frozenset[int]:
        """The uids that this process holds."""
        return frozenset(self._locks)

    def lease(self) -> int:
        """Take a uid that no process runs under and no other service holds (blocks).

        Raises:
            NoFreeUid: there is none.
            OSError: the folder of the leases cannot be used.
        """
        _make_private(self._folder)
        busy = uids_in_use()
        for uid in range(self.range[0], self.range[1] + 1):
            if uid in self._locks or uid in busy or _is_a_user(uid) or not self._lock(uid):
                continue
            if uid not in uids_in_use():  # a dying service's processes may outlive its lock
                return uid
            self.release(uid)
        first, last = self.range
        raise NoFreeUid(
            f"each of the uids {first} to {last} is taken by another sandbox, a process or a user; raise their number "
            "with the setting sandbox_uids, or lower slots"
        )

    def release(self, uid: int) -> None:
        """Give a uid back."""
        if (lock_fd := self._locks.pop(uid, None)) is not None:
            os.close(lock_fd)

    def close(self) -> None:
        """Give all back."""
        for uid in list(self._locks):
            self.release(uid)

    def _lock(self, uid: int) -> bool:
        lock_fd = os.open(self._folder / str(uid), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock_fd)
            return False
        self._locks[uid] = lock_fd
        return True


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

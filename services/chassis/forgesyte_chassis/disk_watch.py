"""Whether the folders that a process writes to take what it writes: once a second, before a write of a job finds out.

A folder is short of space below its reserve of bytes or of inodes; then nothing new is begun, so that what runs can
end. It is blocked when a small file cannot be written in it: full, read-only, or deleted. A deleted folder is reported
by one look and made again by the next, where making it again loses nothing.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from forgesyte_contracts.problems import Code, ForgeSyteError

from .scratch import Scratch

LOOK_EVERY_S = 1.0
LOOK_LIMIT_S = 3.0
"""How long a disk may take to answer; a network file system may never do so."""

RESERVE_BYTES = 256 * 1024 * 1024
RESERVE_INODES = 1024
RESERVE_SHARE = 0.05
"""The reserves of a disk, and the share of a small disk that is enough."""

_TRY_BYTES = 4096
_LOOKS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="disk watch")
"""No threads of the loop's own pool: those may be busy for seconds, as if a disk did not answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder that the process writes to.

    Attributes:
        what: what it is, as in "the folder of the store".
        path: absolute.
        make_again: makes it again when it was deleted (blocks); None where that would lose what is still open in it.
        takes_media: whether what is submitted goes there; the others take little, however large that is.
    """

    what: str
    path: Path
    make_again: Callable[[], object] | None = None
    takes_media: bool = True


@dataclass(frozen=True, slots=True)
class DiskFault:
    """What is wrong with a folder, in a sentence; `is_blocked` when nothing can be written there at all."""

    text: str
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at one folder found; `room_bytes` is what may be written before the reserve is touched."""

    room_bytes: int = 0
    fault: DiskFault | None = None
    is_missing: bool = False


@dataclass(slots=True)
class DiskWatch:
    """Watches folders.

    Attributes:
        folders: which ones.
        min_free_bytes: the reserve of each disk; None is the smaller of RESERVE_BYTES and RESERVE_SHARE of the disk.
    """

    folders: tuple[WatchedFolder, ...]
    min_free_bytes: int | None = None
    _looks: dict[Path, _Look] = field(default_factory=dict)
    _unanswered: dict[Path, "asyncio.Future[_Look]"] = field(default_factory=dict)

    @property
    def fault(self) -> DiskFault | None:
        """What is wrong, as the last look found it: a folder that takes nothing before one that is short of space."""
        faults = [look.fault for look in self._looks.values() if look.fault is not None]
        return next((fault for fault in faults if fault.is_blocked), faults[0] if faults else None)

    def check(self) -> bool | str:
        """For readiness: True unless a folder takes nothing."""
        fault = self.fault
        return fault.text if fault is not None and fault.is_blocked else True

    def require_room(self, more_bytes: int = 0) -> None:
        """Check that something new may be stored.

        Args:
            more_bytes: how large the media will be, as far as that is known.

        Raises:
            ForgeSyteError: STORAGE_FULL.
        """
        if (fault := self.fault) is not None:
            raise storage_full(fault.text)
        room_bytes = self.room_bytes()
        if room_bytes is not None and more_bytes > room_bytes:
            raise storage_full(f"{more_bytes} bytes were announced and there is room for {room_bytes}")

    def room_bytes(self, *also: Path) -> int | None:
        """Return how much may be written before a reserve is touched, as the last looks found it; None is any amount.

        Args:
            also: folders that it is written to beside those that take media.
        """
        takers = {folder.path for folder in self.folders if folder.takes_media or folder.path in also}
        return min((look.room_bytes for path, look in self._looks.items() if path in takers), default=None)

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> DiskFault | None:
        """Look at every folder now; return what is wrong."""
        was = self.fault
        await asyncio.gather(*map(self._look_at, self.folders))
        now = self.fault
        if now != was and now is not None and (was is None or now.is_blocked != was.is_blocked):
            log.warning("storage needs attention", reason=now.text, is_blocked=now.is_blocked)
        elif now is None and was is not None:
            log.info("storage well again")
        return now

    async def _look_at(self, folder: WatchedFolder) -> None:
        asked = self._unanswered.get(folder.path)
        if asked is None:
            known = self._looks.get(folder.path)
            may_make = known is not None and known.is_missing
            looking = partial(_look, folder, self.min_free_bytes, may_make=may_make)
            asked = asyncio.get_running_loop().run_in_executor(_LOOKS, looking)
            self._unanswered[folder.path] = asked
        done, _ = await asyncio.wait((asked,), timeout=LOOK_LIMIT_S)
        if not done:
            text = f"{folder.what} ({folder.path}) did not answer within {LOOK_LIMIT_S:g} s. Check its disk."
            self._looks[folder.path] = _Look(fault=DiskFault(text, is_blocked=True))
            return
        if self._unanswered.get(folder.path) is asked:  # who looked at the same time may have been here first
            del self._unanswered[folder.path]
        self._looks[folder.path] = asked.result()


def storage_full(why: str) -> ForgeSyteError:
    """Return the refusal of something that cannot be stored now."""
    end = "" if why.endswith(".") else "."
    return ForgeSyteError(Code.STORAGE_FULL, f"No job can be stored at present: {why}{end} Try again later.")


def scratch_unwritable(consequence: str, error: OSError, **data: str) -> ForgeSyteError:
    """Return the refusal of what needs the scratch folder, for a write in it that failed.

    Args:
        consequence: what cannot be done now, as the beginning of a sentence.
        error: of the write.
        data: facts for programs, such as the job's id.
    """
    text = f"{consequence}, because the scratch folder is not writable ({error.strerror}); try again later"
    return ForgeSyteError(Code.STORAGE_FULL, text, **data)


def can_write(folder: Path) -> bool:
    """Return whether a small file reaches the disk of a folder (blocks): as slowly as what others sync there."""
    try:
        _try_write(folder, is_synced=True)
    except OSError:
        return False
    return True


def written_folders(store: Path | None, bus_dir: str | None, scratch: Scratch) -> tuple[WatchedFolder, ...]:
    """Return the folders that a service writes to.

    Args:
        store: the store's; None when it is no folder.
        bus_dir: the message broker's, when it is on this machine. It is not made again: a server that runs still has
            every record in the files that were deleted.
        scratch: the service's own.
    """
    folders = [WatchedFolder("the scratch folder", scratch.path, scratch.make_again, takes_media=False)]
    if store is not None:
        make_again = partial(store.mkdir, parents=True, exist_ok=True)
        folders.append(WatchedFolder("the folder of the store", store, make_again))
    if bus_dir:
        folders.append(WatchedFolder("the folder of the message broker", Path(bus_dir).absolute(), takes_media=False))
    return tuple(folders)


def _look(folder: WatchedFolder, min_free_bytes: int | None, *, may_make: bool) -> _Look:
    named = f"{folder.what} ({folder.path})"
    try:
        if may_make and folder.make_again is not None and not folder.path.is_dir():
            folder.make_again()
            log.warning("folder made again", folder=str(folder.path))
        disk = os.statvfs(folder.path)
        _try_write(folder.path)
    except FileNotFoundError:
        text = f"{named} was deleted."
        if folder.make_again is None:
            text += " What is written there now does not outlive a restart. Stop the service, put the folder back from"
            text += " a copy if you have one, and start it again."
        return _Look(fault=DiskFault(text, is_blocked=True), is_missing=True)
    except OSError as error:
        text = f"{named} cannot be written: {error.strerror}. Free space there, or make it writable again."
        return _Look(fault=DiskFault(text, is_blocked=True))
    reserve_bytes = reserve(min_free_bytes, RESERVE_BYTES, disk.f_blocks * disk.f_frsize)
    room_bytes = disk.f_bavail * disk.f_frsize - reserve_bytes
    if room_bytes < 0:
        free = disk.f_bavail * disk.f_frsize
        text = f"{named} has {free} bytes left, and {reserve_bytes} are kept free. Free space there."
        return _Look(fault=DiskFault(text, is_blocked=False))
    reserve_inodes = 0 if min_free_bytes == 0 else reserve(None, RESERVE_INODES, disk.f_files)
    if disk.f_files and disk.f_favail < reserve_inodes:
        left = f"has inodes for {disk.f_favail} files left, and {reserve_inodes} are kept free"
        text = f"{named} {left}. Remove files there."
        return _Look(fault=DiskFault(text, is_blocked=False))
    return _Look(room_bytes)


def reserve(wanted: int | None, most: int, of_all: int) -> int:
    """Return what is kept free of `of_all`: what is wanted, or else the smaller of `most` and RESERVE_SHARE of it.

    >>> reserve(None, 1024, 10_000), reserve(None, 1024, 1_000_000), reserve(7, 1024, 10_000)
    (500, 1024, 7)
    """
    return min(most, int(of_all * RESERVE_SHARE)) if wanted is None else wanted


def _try_write(folder: Path, *, is_synced: bool = False) -> None:
    # Without a name wherever the file system can do that, so that nothing is ever left behind.
    with tempfile.TemporaryFile(dir=folder, buffering=0, prefix=".writable-", suffix="#1") as file:
        file.write(bytes(_TRY_BYTES))
        if is_synced:
            os.fsync(file.fileno())

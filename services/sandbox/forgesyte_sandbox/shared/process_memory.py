"""How much memory processes hold, and the kernel limit on what one process may ask for.

RLIMIT_DATA refuses private memory at the moment it is asked for, but covers neither shared memory nor the sum over a
group of processes; so the resident memory of the group is watched as well. Rejected: RLIMIT_AS (breaks threads, torch,
CUDA) and cgroups (not writable in a restricted pod; on cgroup v2 an OOM kills the whole container).
"""

import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .process_tree import names_in_proc, read_proc
from .shared_memory import Inode, bytes_of_uid

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512
MOST_BYTES = (1 << 63) - 1
"""The largest limit that the kernel takes for one."""
_FILES_IN_MEMORY = ("/memfd:", "/dev/shm/")  # noqa: S108 - looked for, never used


def data_bytes(pid: int) -> int:
    """Return the private writable memory a process has asked for (VmData), which is what RLIMIT_DATA counts.

    Raises:
        ProcessLookupError: there is no such process (any more).
    """
    try:
        status = read_proc(pid, "status")
    except FileNotFoundError:
        status = b""
    _, found, rest = status.partition(b"VmData:")
    if not found:  # a zombie has no memory left to report
        raise ProcessLookupError(pid)
    return int(rest.split(maxsplit=1)[0]) * 1024


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, shared pages included; 0 when it is gone. Costs microseconds."""
    try:
        return int(read_proc(pid, "statm").split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Return resident memory with each shared page divided by its users; 0 when gone.

    Costs milliseconds, and seconds where the process keeps its mapping lock: never to be called in an event loop.

    Where the kernel does not show it, as of a process of another uid to a container's root, it is the memory that is
    no copy of a file on disk, whole.
    """
    try:
        _, found, rest = read_proc(pid, "smaps_rollup").partition(b"\nPss:")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        return _status_bytes(pid, b"RssAnon:") + _status_bytes(pid, b"RssShmem:")
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0


def group_bytes(pids: Iterable[int], *, suspicious_above: int, seen: set[Inode] | None = None) -> int:
    """Return the memory that a group of processes holds, including open files that live in memory.

    The quick sum counts shared memory once per process, and mapped files in memory twice; only when it is above
    `suspicious_above` bytes is the exact sum computed. The open files are added to `seen`.
    """
    pids = tuple(pids)
    resident, files = _resident_and_files(pids, seen)
    if resident + files <= suspicious_above:
        return resident + files
    unmapped = max(0, files - sum(map(shared_bytes, pids)))
    return min(resident, sum(map(proportional_bytes, pids))) + unmapped


def quick_bytes(pids: Iterable[int], *, seen: set[Inode] | None = None) -> int:
    """Return the quick sum of group_bytes(), which is never too low, and for which no process can keep us waiting."""
    return sum(_resident_and_files(tuple(pids), seen))


def _resident_and_files(pids: tuple[int, ...], seen: set[Inode] | None) -> tuple[int, int]:
    return sum(map(resident_bytes, pids)), file_bytes(pids, seen=seen)


def file_bytes(pids: Iterable[int], *, seen: set[Inode] | None = None) -> int:
    """Return the memory of the open files that live in memory (memfd, /dev/shm), each counted once.

    What was written to them and is not mapped belongs to no process's resident memory. Where the kernel does not show
    what a process has open, all files in /dev/shm of its uid count, unless that is ours. The files are added to `seen`.
    """
    sizes: dict[Inode, int] = {}
    closed_uids: set[int] = set()
    for pid in pids:
        try:
            names = names_in_proc(pid, "fd")
        except PermissionError:
            closed_uids.add(_uid_of(pid))
            continue
        except OSError:  # the process is gone
            continue
        for name in names:
            with suppress(OSError):  # closed meanwhile
                entry = f"/proc/{pid}/fd/{name}"
                if os.readlink(entry).startswith(_FILES_IN_MEMORY):  # noqa: PTH115 - a Path costs more than the call
                    facts = os.stat(entry)  # noqa: PTH116 - a Path costs more than the call
                    sizes[facts.st_dev, facts.st_ino] = facts.st_blocks * _BLOCK
    if seen is not None:
        seen.update(sizes)
    return sum(sizes.values()) + sum(map(bytes_of_uid, closed_uids - {os.geteuid()}))


def shared_bytes(pid: int) -> int:
    """Return the resident pages of a process that belong to shared memory; 0 when it is gone."""
    return _status_bytes(pid, b"RssShmem:")


def limit_data(limit_bytes: int, *, most_bytes: int = 0) -> None:
    """Set RLIMIT_DATA of this process; values past the kernel's maximum are cut to it.

    Rejected: setting it from outside, which for a process of another uid needs a capability that containers lack.

    Args:
        limit_bytes: the limit.
        most_bytes: to what it may be raised later, where that is more.

    Raises:
        ValueError: the hard limit in force is lower already.
    """
    hard = min(max(limit_bytes, most_bytes), MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (min(limit_bytes, hard), hard))


def data_limit_of(pid: int) -> int | None:
    """Return the hard RLIMIT_DATA of a process; a very large number when it has none, None when it is gone."""
    try:
        text = read_proc(pid, "limits")
    except (FileNotFoundError, ProcessLookupError):
        return None
    _, found, rest = text.partition(b"Max data size")
    if not found:
        return None
    hard = rest.split(maxsplit=2)[1]
    return MOST_BYTES + 1 if hard == b"unlimited" else int(hard)


def _status_bytes(pid: int, name: bytes) -> int:
    try:
        _, found, rest = read_proc(pid, "status").partition(name)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0


def _uid_of(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return os.geteuid()

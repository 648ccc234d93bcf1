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

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512
_MOST_BYTES = (1 << 63) - 1
_FILES_IN_MEMORY = ("/memfd:", "/dev/shm/")  # noqa: S108 - looked for, never used


def data_bytes(pid: int) -> int:
    """Return the private writable memory a process has asked for (VmData), which is what RLIMIT_DATA counts.

    Raises:
        ProcessLookupError: there is no such process (any more).
    """
    try:
        status = (_PROC / str(pid) / "status").read_bytes()
    except FileNotFoundError:
        status = b""
    _, found, rest = status.partition(b"VmData:")
    if not found:  # a zombie has no memory left to report
        raise ProcessLookupError(pid)
    return int(rest.split(maxsplit=1)[0]) * 1024


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, shared pages included; 0 when it is gone. Costs microseconds."""
    try:
        return int((_PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Return resident memory with each shared page divided by its users; 0 when gone. Costs up to milliseconds."""
    try:
        _, found, rest = (_PROC / str(pid) / "smaps_rollup").read_bytes().partition(b"\nPss:")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0


def group_bytes(pids: Iterable[int], *, suspicious_above: int) -> int:
    """Return the memory that a group of processes holds, including open files that live in memory.

    The quick sum counts shared memory once per process, and mapped files in memory twice; only when it is above
    `suspicious_above` bytes is the exact sum computed.
    """
    pids = tuple(pids)
    resident, files = sum(map(resident_bytes, pids)), file_bytes(pids)
    if resident + files <= suspicious_above:
        return resident + files
    unmapped = max(0, files - sum(map(shared_bytes, pids)))
    return min(resident, sum(map(proportional_bytes, pids))) + unmapped


def file_bytes(pids: Iterable[int]) -> int:
    """Return the memory of the open files that live in memory (memfd, /dev/shm), each counted once.

    What was written to them and is not mapped belongs to no process's resident memory.
    """
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with suppress(OSError):  # the process is gone
            for entry in (_PROC / str(pid) / "fd").iterdir():
                with suppress(OSError):  # closed meanwhile
                    if str(entry.readlink()).startswith(_FILES_IN_MEMORY):
                        facts = entry.stat()
                        sizes[facts.st_dev, facts.st_ino] = facts.st_blocks * _BLOCK
    return sum(sizes.values())


def shared_bytes(pid: int) -> int:
    """Return the resident pages of a process that belong to shared memory; 0 when it is gone."""
    try:
        _, found, rest = (_PROC / str(pid) / "status").read_bytes().partition(b"RssShmem:")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0


def limit_data(pid: int, limit_bytes: int) -> None:
    """Set soft and hard RLIMIT_DATA of a process; values past the kernel's maximum are cut to it.

    Raises:
        ProcessLookupError: there is no such process (any more).
        PermissionError: the hard limit in force is lower already.
    """
    limit_bytes = min(limit_bytes, _MOST_BYTES)
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit_bytes, limit_bytes))

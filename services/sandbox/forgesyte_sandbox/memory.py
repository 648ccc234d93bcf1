"""How much memory processes hold, and the kernel limit on what one process may ask for.

RLIMIT_DATA stops private memory in the moment it is asked for, but sees neither shared memory nor the sum over a
group; so the resident memory of the group is watched besides. Rejected: RLIMIT_AS (breaks threads, torch, CUDA) and
cgroups (not writable in a restricted pod; on cgroup v2 an OOM takes the whole container).
"""

import os
import resource
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def data_bytes(pid: int) -> int:
    """Give the private writable memory a process has asked for (VmData), which is what RLIMIT_DATA counts.

    Raises:
        ProcessLookupError: there is no such process (any more).
    """
    try:
        status = (_PROC / str(pid) / "status").read_bytes()
    except FileNotFoundError:
        status = b""
    _, found, rest = status.partition(b"VmData:")
    if not found:  # a zombie has no memory left to tell of
        raise ProcessLookupError(pid)
    return int(rest.split(maxsplit=1)[0]) * 1024


def resident_bytes(pid: int) -> int:
    """Give the resident memory of a process, shared pages included; 0 when it is gone. Costs microseconds."""
    try:
        return int((_PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def proportional_bytes(pid: int) -> int:
    """Give resident memory with each shared page divided by its users; 0 when gone. Costs up to milliseconds."""
    try:
        _, found, rest = (_PROC / str(pid) / "smaps_rollup").read_bytes().partition(b"\nPss:")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0


def group_bytes(pids: Iterable[int], *, suspicious_above: int) -> int:
    """Give what a group of processes holds.

    The cheap sum counts pages that forked processes share once for each; only a sum above `suspicious_above` bytes is
    worth the exact one.
    """
    pids = tuple(pids)
    quick = sum(map(resident_bytes, pids))
    if quick <= suspicious_above:
        return quick
    return min(quick, sum(map(proportional_bytes, pids)))


def limit_data(pid: int, limit_bytes: int) -> None:
    """Set soft and hard RLIMIT_DATA of a process; only ever lowered for somebody else's.

    Raises:
        ProcessLookupError: there is no such process (any more).
        PermissionError: the hard limit in force is lower already.
    """
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit_bytes, limit_bytes))

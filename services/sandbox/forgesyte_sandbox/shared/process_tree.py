"""Which processes descend from which, read from /proc. Changes nothing."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

_PROC = Path("/proc")
_ZYGOTE_MODULE = b"forgesyte_sandbox.child.zygote"


def children_of(pid: int) -> set[int]:
    """Return the living and dead (unreaped) children of all threads of `pid`; empty when it is gone."""
    found: set[int] = set()
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            found.update(map(int, (thread / "children").read_bytes().split()))
    except FileNotFoundError:
        return found or _children_by_scan(pid)
    except ProcessLookupError:
        pass
    return found


def descendants_of(pid: int) -> set[int]:
    """Return all processes below `pid`, not including itself, as of this moment."""
    found: set[int] = set()
    level = {pid}
    while level:
        level = {child for parent in level for child in children_of(parent)} - found
        found |= level
    return found


def carriers_of(mark: str) -> Iterator[int]:
    """Yield the processes whose environment at exec held `mark` (NAME=value): a zygote and everything it started."""
    wanted = mark.encode()
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            yield pid


def is_sandbox(pid: int) -> bool:
    """Return whether a process is a zygote, or was forked from one and has not started another program."""
    try:
        return _ZYGOTE_MODULE in (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def processes_of(uids: Collection[int]) -> Iterator[int]:
    """Yield the processes that run under one of `uids`; a dead one that is not reaped yet is none."""
    if not any(map(_has_processes, uids)):
        return
    for pid in _pids():
        if not _uids_of(pid).isdisjoint(uids):
            yield pid


def uids_in_use() -> frozenset[int]:
    """Return the uids under which processes run now."""
    return frozenset().union(*map(_uids_of, _pids()))


def _has_processes(uid: int) -> bool:
    """Ask the kernel in one call, after every job; to look at each process of the machine takes milliseconds."""
    try:
        os.getpriority(os.PRIO_USER, uid)
    except ProcessLookupError:
        return False
    except OSError:  # it does not say
        return True
    return True


def _uids_of(pid: int) -> set[int]:
    # The owner of /proc/PID is root where a process may not be dumped.
    try:
        status = (_PROC / str(pid) / "status").read_bytes()
    except OSError:
        return set()
    if b"\nState:\tZ" in status:
        return set()
    return set(map(int, status.partition(b"\nUid:")[2].partition(b"\n")[0].split()))


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _children_by_scan(pid: int) -> set[int]:
    # A kernel without CONFIG_PROC_CHILDREN: the parent is the second field after the name, which may hold anything.
    found = set()
    for other in _pids():
        try:
            stat = (_PROC / str(other) / "stat").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(b")")[2].split()[1]) == pid:
            found.add(other)
    return found

"""Which processes descend from which, read from /proc. Changes nothing.

Without Path and file objects: every sandbox is looked at many times a second, and they cost more than the reading.
"""

import os
from collections.abc import Collection, Iterator

_CHUNK_BYTES = 4096
_ZYGOTE_MODULE = b"forgesyte_sandbox.child.zygote"


def read_proc(pid: int, name: str) -> bytes:
    """Return a file of /proc/PID as a whole.

    Raises:
        FileNotFoundError, ProcessLookupError: there is no such process (any more).
        PermissionError: the kernel does not show it.
    """
    found = b""
    fd = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        while part := os.read(fd, _CHUNK_BYTES):
            found += part
    finally:
        os.close(fd)
    return found


def names_in_proc(pid: int, folder: str) -> list[str]:
    """Return what is in a folder of /proc/PID. Raises as read_proc() does."""
    with os.scandir(f"/proc/{pid}/{folder}") as entries:
        return [entry.name for entry in entries]


def children_of(pid: int) -> set[int]:
    """Return the living and dead (unreaped) children of all threads of `pid`; empty when it is gone."""
    found: set[int] = set()
    try:
        for thread in names_in_proc(pid, "task"):
            found.update(map(int, read_proc(pid, f"task/{thread}/children").split()))
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


def all_processes() -> Iterator[int]:
    """Yield the processes that can be seen from here."""
    with os.scandir("/proc") as entries:
        yield from [int(entry.name) for entry in entries if entry.name.isdigit()]


def carries(pid: int, mark: str) -> bool:
    """Return whether the environment at exec held `mark` (NAME=value), as that of all that a zygote started does."""
    try:
        environment = read_proc(pid, "environ")
    except OSError:
        return False
    return mark.encode() in environment.split(b"\0")


def is_sandbox(pid: int) -> bool:
    """Return whether a process is a zygote, or was forked from one and has not started another program."""
    try:
        return _ZYGOTE_MODULE in read_proc(pid, "cmdline")
    except OSError:
        return False


def processes_of(uids: Collection[int]) -> Iterator[int]:
    """Yield the processes for which runs_under() says so."""
    if any(map(_has_processes, uids)):
        yield from (pid for pid in all_processes() if runs_under(pid, uids))


def runs_under(pid: int, uids: Collection[int]) -> bool:
    """Return whether a process runs under one of `uids`, in this PID namespace; one that is dead does not.

    A process of a container in which another service leased the same uid can be seen from the machine around it.
    """
    status = _status_of(pid)
    return not _uids_in(status).isdisjoint(uids) and _depth_in(status) == _depth_in(_status_of(os.getpid()))


def is_in_session(pid: int, leaders: Collection[int]) -> bool:
    """Return whether a process is in a session that one of `leaders` began."""
    try:
        return os.getsid(pid) in leaders
    except OSError:
        return False


def started_at(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine did; None when it is gone and reaped."""
    try:
        return int(read_proc(pid, "stat").rpartition(b")")[2].split()[19])
    except OSError:
        return None


def uids_in_use() -> frozenset[int]:
    """Return the uids under which processes run now, also those of containers that can be seen from here."""
    return frozenset().union(*(_uids_in(_status_of(pid)) for pid in all_processes()))


def _has_processes(uid: int) -> bool:
    """Ask the kernel in one call, after every job; to look at each process of the machine takes milliseconds."""
    try:
        os.getpriority(os.PRIO_USER, uid)
    except ProcessLookupError:
        return False
    except OSError:  # it does not say
        return True
    return True


def _status_of(pid: int) -> bytes:
    # The owner of /proc/PID is root where a process may not be dumped, and its ns/pid is closed without
    # CAP_SYS_PTRACE; this file is open to all.
    try:
        return read_proc(pid, "status")
    except OSError:
        return b""


def _uids_in(status: bytes) -> set[int]:
    return set() if b"\nState:\tZ" in status else set(map(int, _fields(status, b"Uid")))


def _depth_in(status: bytes) -> int:
    """Return in how many PID namespaces a process is numbered, from that of /proc to its own."""
    return len(_fields(status, b"NSpid"))


def _fields(status: bytes, name: bytes) -> list[bytes]:
    return status.partition(b"\n" + name + b":")[2].partition(b"\n")[0].split()


def _children_by_scan(pid: int) -> set[int]:
    # A kernel without CONFIG_PROC_CHILDREN: the parent is the second field after the name, which may hold anything.
    found = set()
    for other in all_processes():
        try:
            stat = read_proc(other, "stat")
        except OSError:
            continue
        if int(stat.rpartition(b")")[2].split()[1]) == pid:
            found.add(other)
    return found

"""The limits that the kernel keeps for each process of a sandbox (rlimits); those over the group are the watchdog's."""

import os
import resource
from pathlib import Path

from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.process_memory import data_bytes, limit_data

_PENDING_SIGNALS = 256
_LOCKED_BYTES = 8 * MIB


def limit_resources(limits: Limits, *, has_own_uid: bool) -> None:
    """Set the limits that hold from now on; the one on memory is the load's until the plugin is loaded.

    RLIMIT_NPROC counts all threads of a uid on the machine. Under a uid of its own that is the sandbox alone; elsewhere
    the limit is added to the threads that exist already. Root is not bound by it.

    Args:
        limits: the order's.
        has_own_uid: whether this sandbox takes on a uid of its own next.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.scratch_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_SIGPENDING, _PENDING_SIGNALS)
    _lower(resource.RLIMIT_MEMLOCK, _LOCKED_BYTES)
    if has_own_uid:
        _lower(resource.RLIMIT_NPROC, limits.processes)
    elif os.geteuid() != 0:
        threads = int(Path("/proc/loadavg").read_text("ascii").split()[3].partition("/")[2])
        _lower(resource.RLIMIT_NPROC, threads + limits.processes)
    pid = os.getpid()
    load_bytes = data_bytes(pid) + limits.load_memory_bytes
    limit_data(load_bytes, most_bytes=load_bytes + limits.memory_bytes)  # the job's comes on top of what stays loaded


def _lower(which: int, wanted: int) -> None:
    _, hard = resource.getrlimit(which)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (value, value))

"""How a sandbox and everything it started die, and who does what.

1. The parent sends SIGKILL to the sandbox by its pidfd: never to a number that may belong to another process by now.
2. The kernel hands the sandbox's orphans to the zygote (a subreaper); while the sandbox lived they were its own,
   because it is a subreaper too. So a daemonised grandchild never escapes, and is never mixed up with a neighbour's.
3. The zygote sees its dead child, kills the child's process group while the unreaped leader still holds the group's
   number, reaps it, then kills every child it did not fork itself, repeatedly until there is none.
4. Only then it reports the exit, so the parent's verdict comes when nothing is left.

When the zygote itself dies, its sandboxes get SIGKILL from the kernel (PDEATHSIG) and step 3 falls to the parent: it
kills every process that carries the zygote's mark in its environment, is in the session of one of its sandboxes, or
runs under a uid that is leased for them. A process can wipe its environment, but behind the wall it cannot leave its
session. Rejected: killpg alone (setsid escapes it) and SIGTERM and a grace period (a sandbox has nothing to clean up:
its scratch folder belongs to the parent).
"""

import os
import select
import signal
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from .process_tree import all_processes, carries, is_in_session, processes_of, runs_under, started_at

OWNER_MARK = "SANDBOX_OWNER"
"""The variable by which a supervisor knows again what a service of its own has started, when that service is dead."""

_ROUNDS = 10
_ROUND_MS = 200


def kill_stray(pid: int) -> None:
    """Kill a child of this process that it did not start, with its process group (zygote side)."""
    with suppress(ProcessLookupError, PermissionError):
        group = os.getpgid(pid)
        if group != os.getpgrp():
            os.killpg(group, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_group(leader: int) -> None:
    """Kill the process group of a dead, unreaped leader (zygote side)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_pidfd(pidfd: int) -> None:
    """Send SIGKILL to the process behind a pidfd; nothing happens when it is dead."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def kill_marked(mark: str) -> int:
    """Kill every process that carries `mark` in its environment and wait until they are dead (blocks up to 2 s).

    Returns:
        How many could not be killed.
    """
    return _kill_all(all_processes, lambda pid: carries(pid, mark))


def kill_sessions(leaders: Mapping[int, int], uids: Collection[int]) -> int:
    """Kill every process in the sessions of dead sandboxes and wait until they are dead (blocks up to 2 s).

    Args:
        leaders: pid of each sandbox, and when it started (started_at); one whose pid has a new owner is left out.
        uids: under which the sandboxes run; no other process is touched.

    Returns:
        How many could not be killed.
    """
    # The number of a dead leader is not given out again while its session has a member.
    sessions = {pid for pid, started in leaders.items() if started_at(pid) in (None, started)}
    if not sessions:
        return 0
    return _kill_all(lambda: processes_of(uids), lambda pid: is_in_session(pid, sessions) and runs_under(pid, uids))


def kill_uids(uids: Collection[int]) -> int:
    """Kill every process that runs under one of `uids` and wait until they are dead (blocks up to 2 s).

    Only uids that this service has leased may be given. It finds what kill_marked() does not: the environment of a
    process of another uid is closed to a container's root. What runs under the same uid in another container is left
    alone.

    Returns:
        How many could not be killed.
    """
    return _kill_all(lambda: processes_of(uids), lambda pid: runs_under(pid, uids)) if uids else 0


def _kill_all(find: Callable[[], Iterable[int]], is_one: Callable[[int], bool]) -> int:
    for _ in range(_ROUNDS):
        pidfds = [pidfd for pid in find() if is_one(pid) and (pidfd := _open(pid, is_one)) is not None]
        if not pidfds:
            return 0
        poller = select.poll()
        for pidfd in pidfds:
            kill_pidfd(pidfd)
            poller.register(pidfd, select.POLLIN)
        poller.poll(_ROUND_MS)
        for pidfd in pidfds:
            os.close(pidfd)
    return sum(map(is_one, find()))


def _open(pid: int, is_one: Callable[[int], bool]) -> int | None:
    """Return a pidfd of a process that is one of those, or None: its number may belong to another one by now."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if is_one(pid):
        return pidfd
    os.close(pidfd)
    return None

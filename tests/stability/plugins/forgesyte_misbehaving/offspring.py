"""Faults that leave other processes behind."""

import ctypes
import mmap
import os
import threading
from contextlib import suppress
from pathlib import Path

from .making import faulty, fork_and, note_started

NEVER = threading.Event()
MOST_FORKS = 400


def sleep_word() -> str:
    """Seconds to sleep, and a word to be found by that no other run on this machine has: made from the run's mark."""
    paths = [Path(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    in_path = next((path.name for path in paths if path.parent == Path("/nonexistent")), "no mark")
    mark = os.environ.get("STABILITY_MARK", in_path)
    return f"6007.{int.from_bytes(mark.encode())}"


SLEEP_WORD = sleep_word()


def hide():
    """Become a daemon that carries no mark: own session, other folder, a program with an empty environment."""
    leave_session()
    if os.fork():
        os._exit(0)
    note_started(os.getpid())
    os.chdir("/")
    os.closerange(0, 4096)
    with suppress(PermissionError):  # behind the wall no program is run
        os.execve("/bin/sleep", ["sleep", SLEEP_WORD], {})
    NEVER.wait()


def leave_session():
    """Leave the group that is killed, where the wall does not refuse it."""
    with suppress(PermissionError):
        os.setsid()


def leave_daemons(count: int) -> None:
    """Leave hidden daemons, and one process of the plain kind."""
    for _ in range(count):
        os.waitpid(fork_and(hide), 0)
    note_started(fork_and(NEVER.wait))


@faulty("leaves-daemons")
def leaves_daemons():
    leave_daemons(3)
    return "left some behind"


@faulty("leaves-daemons-and-segfaults")
def leaves_daemons_and_segfaults():
    leave_daemons(3)
    ctypes.string_at(0)


@faulty("leaves-daemons-and-hangs")
def leaves_daemons_and_hangs():
    leave_daemons(3)
    while True:
        pass


@faulty("fork-bomb")
def fork_bomb():
    """Every process forks on, in sessions of their own; a counter that all share ends it, for the machine's sake."""
    counter = mmap.mmap(-1, 8)
    while int.from_bytes(counter, "little") < MOST_FORKS:
        counter[:] = (int.from_bytes(counter, "little") + 1).to_bytes(8, "little")
        with suppress(BlockingIOError):  # under a uid of its own the limit on processes binds
            if os.fork() == 0:
                leave_session()
    while True:
        NEVER.wait()


@faulty("leaves-a-flooding-daemon")
def leaves_a_flooding_daemon():
    def flood():
        leave_session()
        while True:
            os.write(1, b"flood\n" * 10_000)

    note_started(fork_and(flood))
    Path("left").touch()
    return "left a flood"

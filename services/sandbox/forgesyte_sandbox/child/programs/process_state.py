"""The state of the process around a job in a warm sandbox, recorded after load and restored after each job.

It protects a plugin's jobs from each other's accidents, not from intent: plugin code that wants to leave something to
its next job can do so in its own modules. Nothing passes from one plugin to another. When something cannot be restored,
the sandbox is replaced. Rejected: a fork of the warm process per job (threads and CUDA contexts do not survive a fork).
"""

import faulthandler
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from forgesyte_sandbox.shared.empty_folder import remove_folder
from forgesyte_sandbox.shared.kernel import trim_heap

_THREAD_PATIENCE_S = 0.5
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_MASKS = ("SigBlk", "SigIgn", "SigCgt")
_C_LIBRARYS = 0b11 << 31
"""Signals 32 and 33: only the C library can set their handlers, and does so with the first thread."""
_LIMITS = {
    name: number
    for name in dir(resource)
    # The memory limit belongs to the parent, which sets it for each job.
    if name.startswith("RLIMIT_") and name not in ("RLIMIT_DATA", "RLIMIT_OFILE")
    for number in [getattr(resource, name)]
}


class ProcessState:
    """The state of this process as it is when this object is made."""

    def __init__(self) -> None:
        self._home = Path.cwd()
        self._home_names = _names_below(self._home)
        self._environ = dict(os.environ)
        self._search_path = list(sys.path)
        self._handlers = {number: signal.getsignal(number) for number in _catchable()}
        self._recursion_limit = sys.getrecursionlimit()
        self._switch_interval_s = sys.getswitchinterval()
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._limits = {name: resource.getrlimit(number) for name, number in _LIMITS.items()}
        self._threads = frozenset(threading.enumerate())
        self._masks = _signal_masks()

    def restore(self, scratch: Path) -> str | None:
        """Leave the job's folder and restore everything.

        Args:
            scratch: the folder of the job that ended.

        Returns:
            Why this process cannot serve another job; None when it can.
        """
        sys.setrecursionlimit(self._recursion_limit)
        sys.setswitchinterval(self._switch_interval_s)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        os.environ.clear()
        os.environ.update(self._environ)
        sys.path[:] = self._search_path
        os.umask(self._umask)
        self._restore_signals()
        os.chdir(self._home)
        _remove_others(self._home, self._home_names)
        trim_heap()
        return self._changed_limit() or self._changed_masks() or self._left_thread() or _left_file(scratch)

    def _restore_signals(self) -> None:
        for timer in _TIMERS:
            signal.setitimer(timer, 0)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number, handler in self._handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        faulthandler.enable()

    def _changed_limit(self) -> str | None:
        for name, before in self._limits.items():
            if resource.getrlimit(_LIMITS[name]) != before:
                try:
                    resource.setrlimit(_LIMITS[name], before)
                except (ValueError, OSError):
                    return f"{name} was lowered and cannot be raised again"
        return None

    def _changed_masks(self) -> str | None:
        masks = _signal_masks()
        changed = [name for name in _MASKS if masks.get(name) != self._masks.get(name)]
        return f"signal handling has changed ({', '.join(changed)})" if changed else None

    def _left_thread(self) -> str | None:
        # Executors end their threads a moment after the tool that held them is freed.
        until_s = time.monotonic() + _THREAD_PATIENCE_S
        for thread in threading.enumerate():
            if thread not in self._threads:
                thread.join(max(0.0, until_s - time.monotonic()))
                if thread.is_alive():
                    return f"the thread {thread.name!r:.100} of the job is still running"
        return None


def _catchable() -> set[int]:
    return {int(number) for number in signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}


def _signal_masks() -> dict[str, int]:
    """Read from the kernel how signals are handled: it also knows of handlers that C code has set."""
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: int(value, 16) & ~_C_LIBRARYS for name, _, value in pairs if name in _MASKS}


def _left_file(scratch: Path) -> str | None:
    """Name a file in the job's folder that is still open: it would stay on disk, and the next job could read it."""
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            if entry.readlink().is_relative_to(scratch):
                return f"descriptor {entry.name} is still open on a file of the job"
    return None


def _names_below(folder: Path) -> frozenset[Path]:
    return frozenset(folder.rglob("*"))


def _remove_others(folder: Path, keep: frozenset[Path]) -> None:
    for path in _names_below(folder) - keep:
        if path.parent in keep or path.parent == folder:  # deeper ones are removed with their folder
            if path.is_dir() and not path.is_symlink():
                remove_folder(path)
            else:
                path.unlink(missing_ok=True)

"""Starts a child so that it cannot outlive the launcher, and stops it together with its process group.

Each child leads a session of its own, because a Ctrl-C on the terminal would otherwise reach nats-server before the
runners have drained, and asks the kernel for SIGKILL when the launcher dies. Children are started from the main thread
alone, because that signal is sent when the *thread* that started them ends. Rejected: a wrapper such as setpriv, which
is not installed on every machine.
"""

import asyncio
import os
import signal
import threading
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

# At module level, because nothing may be loaded between fork and exec.
from forgesyte_sandbox.shared.kernel import die_with_parent


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run.

    Attributes:
        name: one word for logs and messages.
        command: program and arguments; the program is an absolute path.
        log_file: where stdout and stderr go (appended).
        env: variables in addition to the launcher's.
        grace_s: seconds between SIGTERM and SIGKILL.
        keep_fds: descriptors that the child inherits besides 0, 1 and 2.
        is_private: whether no other user may read the files that the child makes, whatever the umask of this process.
    """

    name: str
    command: tuple[str, ...]
    log_file: Path
    env: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 5.0
    keep_fds: tuple[int, ...] = ()
    is_private: bool = False


def _die_with(parent_pid: int, *, is_private: bool) -> Callable[[], None]:
    def before_exec() -> None:
        if is_private:
            os.umask(0o077)
        # A seccomp profile may forbid it; `forgesyte doctor` reports that. It must not keep the child from starting.
        with suppress(OSError):
            if not die_with_parent(signal.SIGKILL, parent_pid):
                os._exit(1)  # the parent died before the call, and the signal would never come

    return before_exec


async def spawn(spec: ProcessSpec) -> Process:
    """Start the child; the caller owns it until stop() returns.

    Raises:
        RuntimeError: called outside the main thread.
        OSError: the program cannot be started or the log file cannot be opened.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(f"{spec.name} must be started from the main thread: it would die when this thread ends")
    spec.log_file.parent.mkdir(parents=True, exist_ok=True)  # it may have been deleted while the launcher ran
    log = os.open(spec.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *spec.command,
            stdin=DEVNULL,
            stdout=log,
            stderr=STDOUT,
            env={**os.environ, **spec.env},
            start_new_session=True,
            pass_fds=spec.keep_fds,
            preexec_fn=_die_with(os.getpid(), is_private=spec.is_private),
        )
    finally:
        os.close(log)


def kill_tree(pid: int) -> None:
    """Kill a child with its process group and all that descends from it.

    One of those may trace the child: then nothing could reap it before that one has ended. What descends from it is
    not found while this process has no descriptor to spare; its group is killed all the same.
    """
    below: list[psutil.Process] = []
    with suppress(psutil.Error, OSError):
        below = psutil.Process(pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for process in below:
        with suppress(psutil.Error, OSError):
            process.kill()


async def stop(process: Process, *, grace_s: float) -> int:
    """Send SIGTERM, wait, kill the process group, and reap the child; a cancellation kills at once.

    Returns:
        The exit status; the negative number of the signal that ended it, if one did.
    """
    try:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await process.wait()
    finally:
        if process.returncode is None:
            kill_tree(process.pid)
        status = await process.wait()
    return status

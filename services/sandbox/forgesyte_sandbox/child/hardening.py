"""What a fresh fork gives up before it reads a byte of media or imports a plugin.

A step that fails raises: a sandbox that could not harden itself ends before its program starts. What comes after the
order is read, uid, limits, Landlock and filter, is in wall/.
"""

import faulthandler
import os
import signal
import sys
import tempfile

from forgesyte_sandbox.shared.kernel import become_subreaper, die_with_parent, refuse_new_privileges

_HOME_VARIABLES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR")
_NAME_VARIABLES = ("USER", "LOGNAME")
_NAME = "sandbox"
"""For code that asks who it runs as: the uid of a sandbox has no entry among the users, who cannot be read either."""


def leave_family(zygote_pid: int) -> bool:
    """Start a new session and tie this process's life to the zygote's.

    Returns:
        False when the zygote is already gone; the caller then ends at once.
    """
    os.setsid()
    refuse_new_privileges()
    become_subreaper()
    return die_with_parent(signal.SIGKILL, zygote_pid)


def keep_descriptors(log_fd: int, keep: tuple[int, ...]) -> None:
    """Point stdin at /dev/null, stdout and stderr at the log pipe, and close everything but `keep`."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    at = 3
    for descriptor in sorted(keep):
        os.closerange(at, descriptor)
        at = descriptor + 1
    os.closerange(at, min(os.sysconf("SC_OPEN_MAX"), 1 << 20))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text file here, typed wider
    faulthandler.enable()  # a segfault then leaves its Python frames in the log tail


def reset_signals() -> None:
    """Restore the default action of every signal; a broken pipe and a file that may not grow stay errors, no deaths."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def move_into(scratch: str) -> None:
    """Make `scratch` the working, home and temporary folder, so that what a plugin leaves is removed with the job."""
    os.chdir(scratch)
    for name in _HOME_VARIABLES:
        os.environ[name] = scratch
    for name in _NAME_VARIABLES:
        os.environ[name] = _NAME
    tempfile.tempdir = None

"""Install the filter of system calls in this process, for good and for everything that it starts.

Two calls, because the first gives a descriptor that must still leave the process, which the second forbids:

1. `ask_referee_about_signals`, only where neither Landlock (ABI 6) nor a uid of its own keeps a plugin's signals in:
   each signal beyond the first process then waits for the referee's word (signal_referee). It returns the listener's
   descriptor: send it to the supervisor, close it, and go on.
2. `install_filter`, always, as the last step.

A fixed filter knows one pid. That is enough for a process that starts no other (the media profile); the children of a
plugin's process have pids that do not exist yet. Where no referee is to be had (Linux before 5.0; a container whose own
filter has a listener already: EBUSY), `signals_only_itself` is what is left: abort() in a forked child then ends by
another signal, and Process.terminate() fails.

Both need no_new_privs, or the kernel refuses them. The first call for a set of rules lays the filter out in about 4 ms;
`prepare` does that before the fork.
"""

import ctypes
import errno
import os
import struct
from functools import cache

from forgesyte_sandbox.shared.kernel import system_call
from forgesyte_sandbox.shared.wall_rules import Profile

from .bpf import Template, assemble
from .call_rules import ASK_REFEREE, OWN_PID, sandbox_rules, signal_rules, whole_filter
from .syscalls import number_of, this_machine

_SET_MODE_FILTER = 1
_ALL_THREADS, _KEEP_SPEED, _NEW_LISTENER = 1 << 0, 1 << 2, 1 << 3
"""Without _KEEP_SPEED, Linux before 5.16 slows a filtered process down to guard parts of it from each other."""
_BYTES_A_STEP = 8
_SOCK_FPROG = struct.Struct("=H6xQ")  # how many steps, and where they are


def call_seccomp(operation: int, flags: int, argument: "ctypes.Array[ctypes.c_char]") -> int:
    """Make the system call `seccomp`.

    Raises:
        OSError: the kernel refuses.
    """
    try:
        return system_call(number_of("seccomp", this_machine()), operation, flags, argument)
    except OSError as error:
        raise OSError(error.errno, f"seccomp({operation}, {flags:#x}): {os.strerror(error.errno or 0)}") from None


def prepare(
    profile: Profile, *, landlock_abi: int, has_own_uid: bool = False, signals_only_itself: bool = False
) -> None:
    """Lay out what `install_filter` and `ask_referee_about_signals` need, for the forks of this process."""
    _sandbox_template(profile, landlock_abi, has_own_uid, signals_only_itself)
    _signal_template()


def ask_referee_about_signals() -> int:
    """Install the filter that has the referee decide on signals beyond this process.

    Returns:
        The listener's descriptor, closed on exec. While no referee answers, a process that signals another waits; once
        the listener is closed, such signals fail with ENOSYS.

    Raises:
        OSError: the kernel refuses; EBUSY where a filter around this process has a listener already.
        RuntimeError: this process does not lead its session, which is how the referee knows a sandbox's processes.
    """
    if os.getsid(0) != os.getpid():
        raise RuntimeError("expected a process that leads its session, found a member: call setsid before")
    return _install(_signal_template(), _KEEP_SPEED | _NEW_LISTENER)


def install_filter(
    profile: Profile, *, landlock_abi: int, has_own_uid: bool = False, signals_only_itself: bool = False
) -> None:
    """Install the filter in all threads of this process.

    Args:
        profile: who runs in the sandbox; media lets signals reach the process itself alone.
        landlock_abi: the Landlock ABI in force, 0 for none.
        has_own_uid: whether no process outside the sandbox has its uid: limits and scheduling of others are then
            guarded by the kernel, and the threads of onnxruntime may choose their processors.
        signals_only_itself: whether signals reach only the first process and its group.

    Raises:
        OSError: the kernel refuses, or has no seccomp, or the machine is one that the rules do not know.
    """
    template = _sandbox_template(profile, landlock_abi, has_own_uid, signals_only_itself)
    refusing_thread = _install(template, _KEEP_SPEED | _ALL_THREADS)
    if refusing_thread:
        raise OSError(errno.ESRCH, f"seccomp: thread {refusing_thread} has filters of its own")


@cache
def _sandbox_template(profile: Profile, landlock_abi: int, has_own_uid: bool, signals_only_itself: bool) -> Template:
    rules = sandbox_rules(
        profile, landlock_abi=landlock_abi, has_own_uid=has_own_uid, signals_only_itself=signals_only_itself
    )
    return Template.of(assemble(whole_filter(rules, this_machine())), stand_in=OWN_PID)


@cache
def _signal_template() -> Template:
    rules = signal_rules(others=ASK_REFEREE)
    return Template.of(assemble(whole_filter(rules, this_machine())), stand_in=OWN_PID)


def _install(template: Template, flags: int) -> int:
    filled = template.filled(os.getpid())
    steps = ctypes.create_string_buffer(filled, len(filled))
    program = _SOCK_FPROG.pack(len(filled) // _BYTES_A_STEP, ctypes.addressof(steps))
    return call_seccomp(_SET_MODE_FILTER, flags, ctypes.create_string_buffer(program, len(program)))

"""The few calls to Linux for which Python has no function."""

import ctypes
import os
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int, expected_parent: int) -> bool:
    """Have the kernel send `signal_number` when the parent's *thread* ends.

    Returns:
        Whether `expected_parent` is still the parent: it may have died before the call, and then no signal comes.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    return os.getppid() == expected_parent


def become_subreaper() -> None:
    """Make orphaned descendants of this process its own children instead of init's."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def refuse_new_privileges() -> None:
    """Set no_new_privs: no program started from here can gain rights through setuid or file capabilities."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def set_thread_stack(size_bytes: int) -> bool:
    """Set the stack size of threads started from now on, in C libraries too.

    RLIMIT_STACK would also shrink the main thread's stack, and glibc reads it only at exec.

    Returns:
        False where the C library has no such call (musl); its threads are small anyway.
    """
    try:
        set_default = _libc.pthread_setattr_default_np
    except AttributeError:
        return False
    attributes = ctypes.create_string_buffer(64)  # sizeof(pthread_attr_t) is 56 on 64-bit glibc
    _libc.pthread_attr_init(attributes)
    _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(size_bytes))
    failed = set_default(attributes)
    _libc.pthread_attr_destroy(attributes)
    return not failed


def trim_heap() -> None:
    """Return freed memory to the kernel, where the C library has a call for that (musl does not)."""
    with suppress(AttributeError):
        _libc.malloc_trim(ctypes.c_size_t(0))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")

"""The few calls to Linux for which Python has no function."""

import ctypes
import os
import struct
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def system_call(number: int, *arguments: "int | bytes | ctypes.Array[ctypes.c_char] | None") -> int:
    """Make a system call for which the C library has no function; bytes are for what the kernel only reads.

    Raises:
        OSError: the kernel refused it.
    """
    given = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    result: int = _libc.syscall(ctypes.c_long(number), *given)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"system call {number}: {os.strerror(code)}")
    return result


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


def parent_death_signal() -> int:
    """Return the signal that the kernel sends when the parent's thread ends; 0 for none."""
    found = ctypes.c_int()
    if _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(found), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_GET_PDEATHSIG)")
    return found.value


def be_dumpable() -> None:
    """Make /proc/self belong to this process again, after its uid has changed."""
    _prctl(_PR_SET_DUMPABLE, 1)


def is_dumpable() -> bool:
    """Return whether processes of the same uid may read this one's memory, and whether /proc/self belongs to it."""
    return bool(_libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 1)


def keep_capabilities() -> None:
    """Keep the permitted capabilities over the next change of uid."""
    _prctl(_PR_SET_KEEPCAPS, 1)


def set_capabilities(numbers: frozenset[int]) -> None:
    """Hold these capabilities, each below 32, and no other; programs that are started keep them too.

    Raises:
        OSError: one of them is not permitted.
    """
    mask = sum(1 << number for number in numbers)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    data = ctypes.create_string_buffer(struct.pack("=6I", mask, mask, mask, 0, 0, 0), 24)
    if _libc.capset(header, data) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")
    for number in numbers:
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)


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


def _prctl(option: int, value: int, third: int = 0) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")

"""Faults that take memory, in each of the ways that some accounting does not see."""

import ctypes
import mmap
import os
import threading
from pathlib import Path

import numpy as np

from .making import FILES, PATIENT, faulty, fork_and, note_started

MIB = 1 << 20
NEVER = threading.Event()
leaked: list[object] = []


def hold_without_end():
    while True:
        NEVER.wait()


@faulty("takes-3-gb", limits=PATIENT)
def takes_3_gb():
    leaked.append(np.ones(3 << 30, np.uint8))


@faulty("takes-64-mb-steps", limits=PATIENT)
def takes_64_mb_steps():
    for _ in range(48):
        leaked.append(np.ones(64 * MIB, np.uint8))


@faulty("takes-8-gib-of-zeros", limits=PATIENT)
def takes_8_gib_of_zeros():
    """Never touched, so never resident: only a limit on what is asked for sees it."""
    leaked.append(np.zeros(1024**3))


@faulty("takes-8-mib", limits=PATIENT)
def takes_8_mib():
    """No fault: within any limit."""
    return float(np.zeros(MIB).sum())


@faulty("takes-shared-memory", limits=PATIENT)
def takes_shared_memory():
    page = mmap.mmap(-1, 3 << 30)
    leaked.append(page)
    for at in range(0, len(page), 4096):
        page[at] = 1


@faulty("takes-memfd", limits=PATIENT)
def takes_memfd():
    """Written to, never mapped: no process's resident memory has it."""
    file = os.memfd_create("hoard")
    block = b"x" * (16 * MIB)
    for _ in range(64):
        os.write(file, block)
    NEVER.wait(2)
    return "kept 1 GiB in a memfd"


@faulty("takes-sysv-segments", limits=PATIENT)
def takes_sysv_segments():
    """System V segments outlive the process that made them; these are marked for removal, but stay attached."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(16):
        segment = libc.shmget(0, 64 * MIB, 0o1600)
        if segment < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        address = libc.shmat(segment, None, 0)
        libc.shmctl(segment, 0, None)
        ctypes.memset(address, 1, 64 * MIB)
    NEVER.wait(2)
    return "kept 1 GiB in segments"


@faulty("takes-memory-in-a-grandchild", limits=PATIENT)
def takes_memory_in_a_grandchild():
    def grow():
        kept = []
        for _ in range(10):
            if os.fork() == 0:
                kept.append(np.ones(100 * MIB, np.uint8))
                hold_without_end()
        hold_without_end()

    note_started(fork_and(grow))
    hold_without_end()


@faulty("leaks-5-mb-a-frame", step="every-frame", limits=PATIENT)
def leaks():
    leaked.append(np.ones(5 * MIB, np.uint8))
    return len(leaked)


@faulty("thread-bomb", limits=PATIENT)
def thread_bomb():
    for _ in range(4000):
        leaked.append(threading.Thread(target=NEVER.wait, daemon=True))
        leaked[-1].start()


@faulty("fills-dev-shm", limits=PATIENT)
def fills_dev_shm():
    """Files in memory, which outlive the process; named so that a test can take them away."""
    with Path(f"/dev/shm/{FILES}-{os.getpid()}").open("wb") as file:  # two at once have two uids
        file.writelines(b"x" * (16 * MIB) for _ in range(32))
    return "left 512 MiB"

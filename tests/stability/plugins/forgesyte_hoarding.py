"""Faults that take what all jobs share: disk, files, depth of folders, sockets, shared memory. Made for the storm.

They are not rows of the matrix: what ends them is a limit that the storm sets lower than the matrix has it.
"""

import os
import secrets
import socket
import threading
from pathlib import Path

from forgesyte_misbehaving.making import PATIENT, faulty

MIB = 1 << 20
MARK = "forgesyte-storm-left"
"""In the names of what is left in shared memory, so that a test finds it."""


@faulty("fills-its-scratch", limits=PATIENT)
def fills_its_scratch():
    """Many files, none of them large."""
    for number in range(1024):
        Path(f"zeros-{number}").write_bytes(bytes(MIB))
    threading.Event().wait()


@faulty("makes-empty-files", limits=PATIENT)
def makes_empty_files():
    """They take no byte, and use up what a file system has of files."""
    for number in range(20_001):
        Path(f"empty-{number}").touch()
    threading.Event().wait()


@faulty("digs-deep", limits=PATIENT)
def digs_deep():
    """Folders in folders, deeper than a call that removes them by recursion can go."""
    for _ in range(1500):
        Path("down").mkdir()
        os.chdir("down")
    threading.Event().wait()


@faulty("opens-sockets")
def opens_sockets():
    """Each family and kind that a plugin may think of; the errors are given back."""
    return [
        error_of(family, kind)
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    ]


def error_of(family: socket.AddressFamily, kind: socket.SocketKind) -> str:
    """Open a socket; return the error, empty when there is none."""
    try:
        socket.socket(family, kind).close()
    except OSError as error:
        return str(error)
    return ""


@faulty("leaves-shared-memory")
def leaves_shared_memory():
    """Files in memory that outlive the process."""
    for _ in range(8):
        Path("/dev/shm", f"{MARK}-{os.getuid()}-{secrets.token_hex(8)}").write_bytes(bytes(MIB))
    return "left 8 MiB"


@faulty("floods-memfds", limits=PATIENT)
def floods_memfds():
    """Files in memory without a name, each with a page, until there are no more descriptors."""
    held = []
    while True:
        held.append(os.memfd_create("hoard"))
        os.write(held[-1], bytes(4096))

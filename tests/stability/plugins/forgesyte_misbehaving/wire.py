"""Faults on the descriptors that a sandbox is born with."""

import os
import socket
import threading
from pathlib import Path

from .making import faulty

NEVER = threading.Event()


def sockets() -> list[int]:
    """The descriptors that are sockets: the way to the parent."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if str(entry.readlink()).startswith("socket:"):
                found.append(int(entry.name))
        except FileNotFoundError:  # the listing's own
            continue
    return found


def write_raw(data: bytes) -> None:
    for fd in sockets():
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]


def hang():
    while True:
        NEVER.wait()


@faulty("writes-garbage")
def writes_garbage():
    write_raw(b"\xff" * 64)
    hang()


@faulty("writes-unknown-message")
def writes_unknown_message():
    write_raw(b"\0\0\0\x05Zabcd")
    hang()


@faulty("writes-broken-row")
def writes_broken_row():
    write_raw(b"\0\0\0\x06Rabc\n[")
    hang()


@faulty("writes-half-a-message")
def writes_half_a_message():
    write_raw(b"\0\0\1\0R{")
    os._exit(0)


@faulty("writes-half-a-message-and-hangs")
def writes_half_a_message_and_hangs():
    write_raw(b"\0\0\1\0R{")
    hang()


@faulty("forges-its-end")
def forges_its_end():
    """A last message that is well-formed and nonsense."""
    body = b'{"result": {"frames_decoded": -7, "total_frames": "many", "fps": [], "rows": null}}'
    write_raw((1 + len(body)).to_bytes(4, "big") + b"F" + body)
    hang()


@faulty("shuts-its-pipe")
def shuts_its_pipe():
    """Shuts the pipe in both directions and goes on as if nothing were."""
    for fd in sockets():
        socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)
    return "shut"


@faulty("closes-all-descriptors")
def closes_all_descriptors():
    os.closerange(0, 65_536)
    return "closed"


@faulty("closes-all-descriptors-and-hangs")
def closes_all_descriptors_and_hangs():
    os.closerange(0, 65_536)
    hang()

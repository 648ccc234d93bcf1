"""What parent and zygote send each other: one JSON text per packet, with descriptors.

Parent to zygote: Fork, with three descriptors (the sandbox's end of the pipe, the heartbeat page, the log pipe); ping.
Zygote to parent: ready; forked, with a pidfd; refused; exited; pong. The zygote runs only our own code, so its packets
are trusted.
"""

import socket
from array import array
from typing import Any

import orjson

MAX_PACKET_BYTES = 32 * 1024
_MAX_DESCRIPTORS = 4


def send(control: socket.socket, packet: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one packet with its descriptors, which stay open here.

    Raises:
        OSError: the other side is gone, or does not read (BlockingIOError on a non-blocking socket).
    """
    socket.send_fds(control, [orjson.dumps(packet)], list(descriptors))


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Receive one packet and its descriptors (close-on-exec); None when the other side is gone.

    Raises:
        BlockingIOError: nothing is there, on a non-blocking socket.
    """
    space = socket.CMSG_LEN(_MAX_DESCRIPTORS * array("i").itemsize)
    try:
        data, ancillary, _, _ = control.recvmsg(MAX_PACKET_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return None
    descriptors = array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    if not data:
        return None
    return orjson.loads(data), list(descriptors)

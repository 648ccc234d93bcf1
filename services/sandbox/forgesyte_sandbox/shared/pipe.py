"""Frames on the pipe between parent and child: four bytes of length, one byte of kind, the body.

The length counts kind and body and is checked before anything more is read, so a child can never make the parent hold
more than one frame of the allowed size. The parent reads with asyncio, the child blocks: a slow parent slows the child
down.
"""

import asyncio
import socket
import struct

from .messages import ProtocolError

_LENGTH = struct.Struct(">I")
SLACK_BYTES = 64 * 1024
"""What a frame may hold besides the row's bytes: its head, or a message of another kind."""


class HalfMessage(ProtocolError):
    """The pipe ended in the middle of a frame; a process that dies in a write leaves this too."""


async def read_frame(reader: asyncio.StreamReader, *, max_bytes: int) -> tuple[bytes, bytes] | None:
    """Read kind and body of the next frame; None when the child closed the pipe between two frames.

    Args:
        reader: the parent's end.
        max_bytes: the largest length that is accepted.

    Raises:
        HalfMessage: the pipe was closed in the middle of a frame.
        ProtocolError: a length out of bounds.
    """
    try:
        length = _checked(await reader.readexactly(_LENGTH.size), max_bytes)
        frame = await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if not error.partial and error.expected == _LENGTH.size:
            return None
        raise HalfMessage(f"the pipe ended in a message: {len(error.partial)} of {error.expected} bytes") from None
    except ConnectionError:
        return None
    return frame[:1], frame[1:]


def send_frame(sock: socket.socket, kind: bytes, body: bytes) -> None:
    """Send one frame and block until the kernel has all of it (child side)."""
    sock.sendall(frame_bytes(kind, body))


def frame_bytes(kind: bytes, body: bytes) -> bytes:
    """Return the bytes of one frame."""
    return _LENGTH.pack(1 + len(body)) + kind + body


def receive_frame(sock: socket.socket, *, max_bytes: int) -> tuple[bytes, bytes]:
    """Block until one frame has arrived (child side).

    Raises:
        ProtocolError: the parent is gone, or a length is out of bounds.
    """
    frame = _receive(sock, _checked(_receive(sock, _LENGTH.size), max_bytes))
    return frame[:1], frame[1:]


def _checked(header: bytes, max_bytes: int) -> int:
    (length,) = _LENGTH.unpack(header)
    if not 1 <= length <= max_bytes:
        raise ProtocolError(f"a message of {length} bytes was announced, at most {max_bytes} are accepted")
    return int(length)


def _receive(sock: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(min(size - len(parts), 1 << 16))
        if not part:
            raise ProtocolError("the pipe was closed by the other side")
        parts += part
    return bytes(parts)

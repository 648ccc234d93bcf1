import asyncio
import errno
import socket

import structlog

from forgesyte_chassis.web.acceptor import Acceptor
from forgesyte_chassis.web.server import open_listener
from tests.support import eventually


class Full(socket.socket):
    """A listener of a process without descriptors."""

    is_full = True

    def accept(self):
        if self.is_full:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_a_process_without_descriptors_rests_and_then_goes_on():
    made = []

    def make():
        made.append(asyncio.Protocol())
        return made[-1]

    plain = open_listener("127.0.0.1", 0)
    listener = Full(fileno=plain.detach())
    with structlog.testing.capture_logs() as lines, socket.create_connection(listener.getsockname()):
        async with asyncio.TaskGroup() as group:
            acceptor = Acceptor(listener, make, group)
            acceptor.start()
            await eventually(lambda: lines)
            turns = len(lines)
            listener.is_full = False
            await eventually(lambda: made)
            acceptor.stop()
            acceptor.stop()

    assert turns == 1
    assert lines[0]["event"] == "no descriptor left for a connection"
    assert listener.fileno() == -1


async def test_a_client_that_left_at_once_gets_no_protocol():
    made = []

    def make():
        made.append(asyncio.Protocol())
        return made[-1]

    listener = open_listener("127.0.0.1", 0)
    for _ in range(100):
        socket.create_connection(listener.getsockname()).close()
    with socket.create_connection(listener.getsockname()):
        async with asyncio.TaskGroup() as group:
            acceptor = Acceptor(listener, make, group)
            acceptor.start()
            await eventually(lambda: made)
            acceptor.stop()

    assert len(made) == 1

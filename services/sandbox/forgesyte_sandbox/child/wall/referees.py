"""The referees of one zygote: taken from its sandboxes as they build their walls, served in its loop, closed."""

import array
import select
import socket

from .signal_referee import SignalReferee


class Referees:
    """Serves the signal questions of all sandboxes.

    Args:
        poll: the zygote's; descriptors come and go in it.
    """

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._expected: dict[int, tuple[int, socket.socket]] = {}
        self._serving: dict[int, SignalReferee] = {}

    def expect(self, pid: int, sock: socket.socket) -> None:
        """Wait for the listener of a fresh sandbox; one that needs none closes its end of `sock` without sending."""
        sock.setblocking(False)
        self._expected[sock.fileno()] = (pid, sock)
        self._poll.register(sock, select.POLLIN)

    def serve(self, ready: set[int]) -> None:
        """Take the listeners that have come and answer one question of each sandbox that has one."""
        for descriptor in ready & self._expected.keys():
            self._take(descriptor)
        for descriptor in ready & self._serving.keys():
            referee = self._serving[descriptor]
            if not referee.answer_one() and referee.is_over():
                del self._serving[descriptor]
                self._poll.unregister(descriptor)
                referee.close()

    def _take(self, descriptor: int) -> None:
        pid, sock = self._expected.pop(descriptor)
        self._poll.unregister(descriptor)
        with sock:
            for listener in _received(sock):
                referee = SignalReferee(listener, session=pid)
                self._serving[referee.fileno()] = referee
                self._poll.register(referee, select.POLLIN)


def _received(sock: socket.socket) -> list[int]:
    try:
        _, ancillary, _, _ = sock.recvmsg(1, socket.CMSG_LEN(array.array("i").itemsize), socket.MSG_CMSG_CLOEXEC)
    except (BlockingIOError, ConnectionError):
        return []
    found = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(content[: len(content) - len(content) % found.itemsize])
    return list(found)

"""Takes new connections from a listener, many in one turn of the loop.

uvloop's own server takes one per turn: behind a crowd that connects again and again an honest client would wait for
hundreds of turns. A connection whose client has already left costs next to nothing here, and where the process has no
descriptor left, the listener rests a moment instead of waking the loop without end.
"""

import asyncio
import errno
import socket
from collections.abc import Callable

import structlog

_PER_TURN = 64
_REST_S = 0.2
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = structlog.get_logger(__name__)


class Acceptor:
    """One listener in the loop, from start() to stop().

    Args:
        listener: a listening socket; stop() closes it.
        make_protocol: makes the protocol of a connection.
        group: runs the short tasks in which connections are set up.
    """

    def __init__(
        self, listener: socket.socket, make_protocol: Callable[[], asyncio.Protocol], group: asyncio.TaskGroup
    ) -> None:
        self._listener = listener
        self._make_protocol = make_protocol
        self._group = group
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take connections from now on."""
        self._rest = None
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)

    def stop(self) -> None:
        """Take no more and close the listener; further calls change nothing."""
        if self._rest is not None:
            self._rest.cancel()
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        for _ in range(_PER_TURN):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                log.warning("no descriptor left for a connection", error=str(error), rest_s=_REST_S)
                self._loop.remove_reader(self._listener)
                self._rest = self._loop.call_later(_REST_S, self.start)
                return
            if _has_left(connection):
                connection.close()
            else:
                self._group.create_task(self._set_up(connection))

    async def _set_up(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, connection)
        except OSError:
            connection.close()  # its client left meanwhile


def _has_left(connection: socket.socket) -> bool:
    """Whether the client closed the connection before it sent anything."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True

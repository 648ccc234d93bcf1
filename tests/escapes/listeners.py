"""Everything that listens on this machine for the attempts: TCP, UDP, abstract sockets, socket files, a named pipe.

One thread serves all of them and keeps what came; a request over HTTP is answered with the secret.
"""

import os
import secrets
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


class Listeners:
    """Made in a folder; close() ends the thread.

    Attributes:
        targets: where they are reached.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        self.targets: dict[str, Any] = {"abstract": f"forgesyte-escape-{secrets.token_hex(6)}"}
        self._secret = secret
        self._came: list[bytes] = []
        self._open: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._stop, self._stopped = os.pipe()
        self._selector.register(self._stop, selectors.EVENT_READ, None)
        self._listen_on_ports()
        self._listen_on_names(folder)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def has(self, word: str) -> bool:
        """Whether a word has arrived somewhere."""
        return any(word.encode() in data for data in list(self._came))

    def close(self) -> None:
        """End the thread and close everything."""
        os.write(self._stopped, b"x")
        self._thread.join()
        for sock in self._open:
            sock.close()
        for descriptor in (self._stop, self._stopped, self._pipe):
            os.close(descriptor)
        self._selector.close()

    def _listen_on_ports(self) -> None:
        self.targets["tcp"] = self._stream(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        self.targets["udp"] = self._datagrams(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        self.targets["tcp6"] = 0
        try:
            self.targets["tcp6"] = self._stream(socket.AF_INET6, ("::1", 0)).getsockname()[1]
        except OSError:  # a machine without IPv6: the row is void there
            return

    def _listen_on_names(self, folder: Path) -> None:
        name = self.targets["abstract"]
        self._stream(socket.AF_UNIX, f"\0{name}")
        self._datagrams(socket.AF_UNIX, f"\0{name}-datagrams")
        for key, listen in (
            ("socket_file", self._stream), ("system_bus", self._stream), ("datagram_file", self._datagrams),
        ):  # fmt: skip
            self.targets[key] = str(folder / key)
            listen(socket.AF_UNIX, self.targets[key])
            Path(self.targets[key]).chmod(0o666)
        self.targets["pipe"] = str(folder / "pipe")
        os.mkfifo(self.targets["pipe"])
        Path(self.targets["pipe"]).chmod(0o666)
        self._pipe = os.open(self.targets["pipe"], os.O_RDWR | os.O_NONBLOCK)
        self._selector.register(self._pipe, selectors.EVENT_READ, self._read_pipe)

    def _stream(self, family: int, address: object) -> socket.socket:
        sock = self._socket(family, socket.SOCK_STREAM, address)
        sock.listen()
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._accept(sock))
        return sock

    def _datagrams(self, family: int, address: object) -> socket.socket:
        sock = self._socket(family, socket.SOCK_DGRAM, address)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._came.append(sock.recv(4096)))
        return sock

    def _socket(self, family: int, kind: int, address: Any) -> socket.socket:
        sock = socket.socket(family, kind)
        self._open.append(sock)
        sock.bind(address)
        sock.setblocking(False)
        return sock

    def _accept(self, sock: socket.socket) -> None:
        with sock.accept()[0] as connection:
            connection.settimeout(5)
            try:
                data = connection.recv(4096)
                self._came.append(data)
                if data.startswith(b"GET"):
                    connection.send(f"{ANSWER}{self._secret}".encode())
            except OSError:  # it went away, or said nothing
                return

    def _read_pipe(self) -> None:
        self._came.append(os.read(self._pipe, 4096))

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                act: Callable[[], None] | None = key.data
                if act is None:
                    return
                act()

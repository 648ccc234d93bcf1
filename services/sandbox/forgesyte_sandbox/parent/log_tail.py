"""The last output of a sandbox: stdout and stderr are always drained, and the newest 2 KB are kept.

Always, because a full pipe would block the child in a print; 2 KB, because a flood must cost nothing. The list of
extension modules with which Python ends its report of a crash is longer than that and says nothing about it, so it is
left out.
"""

import asyncio
import os
import re

TAIL_BYTES = 2048
_HELD_BYTES = 1 << 14
_MODULES = re.compile(r"^(Extension modules: )?[\w., ]* \(total: \d+\)\n?", re.MULTILINE)
_READ_BYTES = 1 << 16
_DRAIN_READS = 64


class LogTail:
    """Reads one pipe on the running loop from construction until close()."""

    def __init__(self, read_fd: int) -> None:
        self._fd = read_fd
        self._tail = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(read_fd, False)
        self._is_reading = True
        self._loop.add_reader(read_fd, self._read)

    @property
    def text(self) -> str:
        """What is kept, as text; bytes that are not UTF-8 are replaced."""
        text = _MODULES.sub("", self._tail.decode(errors="replace"))
        return text.encode()[-TAIL_BYTES:].decode(errors="ignore")

    def clear(self) -> None:
        """Forget what was written so far, so that the next job's tail is its own."""
        self.drain()
        self._tail = b""

    def drain(self) -> None:
        """Read what is left in the pipe; bounded, in case a process is still writing."""
        for _ in range(_DRAIN_READS):
            if not (self._is_reading and self._read()):
                return

    def close(self) -> None:
        """Stop reading and close the pipe."""
        self._stop()
        os.close(self._fd)

    def _read(self) -> bool:
        try:
            part = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return False
        self._tail = (self._tail + part)[-_HELD_BYTES:]
        if not part:
            self._stop()
        return bool(part)

    def _stop(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._fd)

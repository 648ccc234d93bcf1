"""A page of memory in which a child's event loop notes that it still turns, readable while the child is stopped.

The supervisor makes the page and keeps it over all lives of the child; the child inherits the descriptor. Nothing about
it depends on the bus, so a bus that is gone makes no process look dead. The child's name in the page tells the
supervisor of a dead runner whose jobs to hand on. The size is sealed, and the page is never mapped: whatever a child
does to it, a read answers. Rejected: a pipe (a stalled reader fills it) and asking the ops port (it may be off).
"""

import asyncio
import fcntl
import os
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .background import beside

STAMP_EVERY_S = 0.5
"""How often a living loop stamps its page."""

_STAMP = struct.Struct("<Q")
_PAGE_BYTES = 4096
_EMPTY = bytes(_PAGE_BYTES)
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a page says: the name under which the child works, and when its loop last turned, in monotonic seconds."""

    name: str
    at_s: float


class AlivePage:
    """The supervisor's side; `fd` is for the child, which inherits it."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("forgesyte-alive", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, _PAGE_BYTES)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, _SEALS)

    def clear(self) -> None:
        """Forget the last life; the next child has not stamped yet."""
        os.pwrite(self.fd, _EMPTY, 0)

    def read(self) -> Stamp | None:
        """Return the last stamp; None before the first one of this life, after an orderly end, and of a closed page."""
        if self.fd < 0:
            return None
        page = os.pread(self.fd, _PAGE_BYTES, 0)
        (at_ns,) = _STAMP.unpack_from(page)
        if not at_ns:
            return None
        return Stamp(page[_STAMP.size :].rstrip(b"\0").decode(errors="replace"), at_ns / _NS)

    def close(self) -> None:
        """Close the page; its number may be another file's from now on."""
        os.close(self.fd)
        self.fd = -1


@asynccontextmanager
async def stamping(fd: int, name: str) -> AsyncIterator[None]:
    """Stamp an inherited page while the block runs; after an orderly end it says that nothing is owed any more.

    After an exception the last stamp stays: this process leaves work behind.

    Args:
        fd: the page; below 0 when no supervisor looks.
        name: under which this process works.
    """
    if fd < 0:
        yield
        return
    os.set_inheritable(fd, False)  # a child of this process must not be able to speak for it
    os.pwrite(fd, name.encode()[: _PAGE_BYTES - _STAMP.size], _STAMP.size)
    async with beside(_stamp(fd)):
        yield
    os.pwrite(fd, _STAMP.pack(0), 0)


async def _stamp(fd: int) -> None:
    while True:
        os.pwrite(fd, _STAMP.pack(time.monotonic_ns()), 0)
        await asyncio.sleep(STAMP_EVERY_S)

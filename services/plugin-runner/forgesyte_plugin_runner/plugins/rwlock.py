"""A reader-writer lock: many readers or one writer; a waiting writer keeps later readers out.

The event loop writes and reads the registry; the thread that answers a scrape reads it. No holder waits for anything
else, so the event loop may take the lock too: it costs at most the time of a few dictionary look-ups.

Source: the phase-fair lock of B. Brandenburg and J. Anderson, "Spin-Based Reader-Writer Synchronization for
Multiprocessor Real-Time Systems", Real-Time Systems 46 (2010), section 3, with a condition instead of spinning.
Writers come first, but readers that waited for one writer go before the next writer.
Rejected: RWLockWrite of `readerwriterlock` (two writers without a pause left eight readers two turns each in 10 s),
RWLockRead (the writers got one turn), RWLockFair (copes, but prefers neither); `aiorwlock` (one loop, no threads).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ReadWriteLock:
    """`with lock.read():` beside other readers, `with lock.write():` alone. Neither may be taken inside the other."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._phase = 0
        self._readers = 0
        self._readers_waiting = 0
        self._writers_waiting = 0
        self._is_writing = False

    @contextmanager
    def read(self) -> Iterator[None]:
        """Hold the lock beside other readers."""
        with self._changed:
            self._enter_as_reader()
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def write(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._writers_waiting += 1
            try:
                self._changed.wait_for(lambda: not self._is_writing and self._readers == 0)
            finally:
                self._writers_waiting -= 1
            self._is_writing = True
        try:
            yield
        finally:
            with self._changed:
                self._is_writing = False
                self._admit_readers()

    def _enter_as_reader(self) -> None:
        if not self._is_writing and not self._writers_waiting:
            self._readers += 1
            return
        phase = self._phase
        self._readers_waiting += 1
        # The writer that ends the phase counts us as readers, so the next writer cannot slip past us.
        self._changed.wait_for(lambda: self._phase != phase)

    def _admit_readers(self) -> None:
        self._phase += 1
        self._readers += self._readers_waiting
        self._readers_waiting = 0
        self._changed.notify_all()

"""The registry's lock, with real threads: no thread starves, none sees half a write, nothing locks up."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from forgesyte_plugin_runner.plugins.rwlock import ReadWriteLock
from tests.support import eventually

READERS, WRITERS = 8, 2
LIMIT_S = 60


@dataclass
class Crowd:
    """Threads that read and write without a pause until each had `turns`; `halves` differ while a write is under way.

    One that starves keeps all others going until the limit.
    """

    turns: int
    end_s: float = field(default_factory=lambda: time.monotonic() + LIMIT_S)
    lock: ReadWriteLock = field(default_factory=ReadWriteLock)
    halves: list[int] = field(default_factory=lambda: [0, 0])
    reads: list[int] = field(default_factory=lambda: [0] * READERS)
    writes: list[int] = field(default_factory=lambda: [0] * WRITERS)
    torn: int = 0

    @property
    def is_over(self) -> bool:
        return min(*self.reads, *self.writes) >= self.turns or time.monotonic() > self.end_s

    def read(self, number: int) -> None:
        while not self.is_over:
            with self.lock.read():
                seen = self.halves[0]
                threading.Event().wait(0.001)  # readers overlap, so that without a rule no writer would find a gap
                self.torn += seen != self.halves[1]
            self.reads[number] += 1

    def write(self, number: int) -> None:
        while not self.is_over:
            with self.lock.write():
                self.halves[0] += 1
                threading.Event().wait(0.001)
                self.halves[1] += 1
            self.writes[number] += 1

    def run(self) -> list[threading.Thread]:
        """Start all threads; return those that did not come back."""
        threads = [threading.Thread(target=self.read, args=(number,), daemon=True) for number in range(READERS)]
        threads += [threading.Thread(target=self.write, args=(number,), daemon=True) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * LIMIT_S)
        return [thread for thread in threads if thread.is_alive()]


@pytest.mark.slow
@pytest.mark.parametrize("turns", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_eight_overlapping_readers_and_two_writers_without_a_pause_all_get_their_turns(turns):
    crowd = Crowd(turns)

    stuck = crowd.run()

    assert stuck == []
    assert crowd.torn == 0
    assert min(*crowd.reads, *crowd.writes) >= turns, crowd


async def test_a_waiting_writer_keeps_later_readers_out_and_goes_before_them():
    lock, order, reading, let_go = ReadWriteLock(), [], threading.Event(), threading.Event()

    def first_reader() -> None:
        with lock.read():
            reading.set()
            let_go.wait(LIMIT_S)
            order.append("first reader")

    def writer() -> None:
        with lock.write():
            order.append("writer")

    def later_reader() -> None:
        with lock.read():
            order.append("later reader")

    threads = [threading.Thread(target=target, daemon=True) for target in (first_reader, writer, later_reader)]
    threads[0].start()
    reading.wait(LIMIT_S)
    threads[1].start()
    await eventually(lambda: lock._writers_waiting == 1, what="the writer waits")
    threads[2].start()
    await eventually(lambda: lock._readers_waiting == 1, what="the later reader waits")
    let_go.set()
    for thread in threads:
        thread.join(LIMIT_S)

    assert order == ["first reader", "writer", "later reader"]


def test_an_exception_inside_gives_the_lock_back():
    lock = ReadWriteLock()

    for hold in (lock.read, lock.write):
        with pytest.raises(RuntimeError), hold():
            raise RuntimeError("on purpose")

    with lock.write():
        pass

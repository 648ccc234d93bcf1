"""Finds a zygote that no longer works: one that is stopped, or does not answer.

Such a zygote reaps nothing and forks nothing, so a job on it would end only by its own limit. A timer of the loop asks
it once a second. A loop that was itself late proves nothing: then the wait begins again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

PING_EVERY_S = 1.0
SILENT_LIMIT_S = 3.5
"""Seconds without an answer after which it is given up; it is found within PING_EVERY_S more."""

_LATE_S = 0.5
_STOPPED = (b"T", b"t")


class ZygotePulse:
    """Asks one zygote until stop().

    Args:
        pid: its process id.
        ping: sends a question; answered() must follow.
        give_up: called at most once, with what is wrong as a clause.
        every_s, silent_s: seconds between two questions, and without an answer.
    """

    def __init__(
        self,
        pid: int,
        ping: Callable[[], None],
        give_up: Callable[[str], None],
        *,
        every_s: float = PING_EVERY_S,
        silent_s: float = SILENT_LIMIT_S,
    ) -> None:
        self._pid = pid
        self._ping = ping
        self._give_up = give_up
        self._every_s = every_s
        self._silent_s = silent_s
        self._loop = asyncio.get_running_loop()
        self._asked_s: float | None = None
        self._was_stopped = False
        self._due_s = self._loop.time() + self._every_s
        self._timer = self._loop.call_at(self._due_s, self._tick)

    def answered(self) -> None:
        """Note an answer."""
        self._asked_s = None

    def stop(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _tick(self) -> None:
        if (fault := self._fault()) is not None:
            self._give_up(f"the process that runs its sandbox (the zygote) {fault} and was killed")
            return
        self._due_s = self._loop.time() + self._every_s
        self._timer = self._loop.call_at(self._due_s, self._tick)

    def _fault(self) -> str | None:
        now_s = self._loop.time()
        was_stopped, self._was_stopped = self._was_stopped, is_stopped(self._pid)
        if was_stopped and self._was_stopped:
            return "was stopped"
        if self._asked_s is None:
            self._asked_s = now_s
            self._ping()
        elif now_s - self._due_s > _LATE_S:
            self._asked_s = now_s
        elif now_s - self._asked_s >= self._silent_s:
            return f"did not answer for {self._silent_s:g} s"
        return None


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by a signal or by a tracer; False when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] in _STOPPED

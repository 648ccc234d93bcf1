"""Finds a child that still exists but does nothing: stopped by a signal or a tracer, or with an event loop that hangs.

A measure is only as good as the clock that takes it: when the supervisor's own look is late, the whole machine paused
or was busy, and then the measure starts again, so that a pause of the machine is no child's fault.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from forgesyte_chassis.alive_page import AlivePage

LOOK_EVERY_S = 0.5
"""How often the supervisor looks."""

_LATE_S = 0.5
_STOPPED = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


@dataclass(frozen=True, slots=True)
class StallRule:
    """When a child counts as stalled.

    Attributes:
        page: where its event loop stamps; None for a program that cannot.
        stopped_looks: in how many looks in a row it must be found stopped.
        silent_s: how old its last stamp may be, in seconds. A child that has not stamped yet is still starting.
    """

    page: AlivePage | None = None
    stopped_looks: int = 2
    silent_s: float = 4.0


class StallWatch:
    """Watches one life of a child; look() is called every LOOK_EVERY_S seconds."""

    def __init__(
        self,
        pid: int,
        rule: StallRule,
        *,
        clock: Callable[[], float] = time.monotonic,
        is_stopped: Callable[[int], bool] | None = None,
    ) -> None:
        self._pid = pid
        self._rule = rule
        self._clock = clock
        self._is_stopped = is_stopped or is_process_stopped
        self._looks_stopped = 0
        self._looked_s = self._measured_from_s = clock()

    def look(self) -> str | None:
        """Return why the child must be replaced, as a clause without a full stop; None while it may go on."""
        now_s = self._clock()
        if now_s - self._looked_s > LOOK_EVERY_S + _LATE_S:
            self._measured_from_s = now_s
            self._looks_stopped = 0
        self._looked_s = now_s
        return self._judge_stop() or self._judge_silence(now_s)

    def _judge_stop(self) -> str | None:
        self._looks_stopped = self._looks_stopped + 1 if self._is_stopped(self._pid) else 0
        return "it is stopped" if self._looks_stopped >= self._rule.stopped_looks else None

    def _judge_silence(self, now_s: float) -> str | None:
        stamp = self._rule.page.read() if self._rule.page else None
        if stamp is None:
            return None
        silent_s = now_s - max(stamp.at_s, self._measured_from_s)
        return f"its event loop has not turned for {silent_s:.1f} s" if silent_s > self._rule.silent_s else None


def is_process_stopped(pid: int) -> bool:
    """Return whether a signal or a tracer has stopped the process."""
    try:
        return psutil.Process(pid).status() in _STOPPED
    except (psutil.Error, OSError):  # gone, or this process has no descriptor left to look with
        return False

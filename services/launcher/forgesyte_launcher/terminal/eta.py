"""How fast a job goes: frames a second and the seconds left, from what its record shows now and then."""

from collections import deque
from dataclasses import dataclass, field

from forgesyte_contracts.http.jobs import JobView

WINDOW_S = 10.0
"""The speed is taken over this much of the past: long enough to be calm, short enough to follow a change."""


@dataclass(slots=True)
class Pace:
    """A moving window over (moment, frames done, percent done); moments are monotonic seconds."""

    _seen: deque[tuple[float, int, int]] = field(default_factory=deque)

    def observe(self, job: JobView, now_s: float) -> None:
        """Take in a record; a new attempt that begins at frame 0 begins a new window."""
        frames = job.current_frame or 0
        if self._seen and frames < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or frames > self._seen[-1][1]:
            self._seen.append((now_s, frames, job.progress or 0))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()

    @property
    def fps(self) -> float | None:
        """Frames a second; None before two different observations."""
        return self._rate(1)

    def seconds_left(self, job: JobView) -> float | None:
        """Seconds to the end: by frames when the total is known, else by percent; None when neither moves."""
        if job.total_frames and self.fps:
            return max(0, job.total_frames - (job.current_frame or 0)) / self.fps
        percent_a_second = self._rate(2)
        return (100 - (job.progress or 0)) / percent_a_second if percent_a_second else None

    def _rate(self, column: int) -> float | None:
        if len(self._seen) < 2:
            return None
        first, last = self._seen[0], self._seen[-1]
        gained = last[column] - first[column]
        return gained / (last[0] - first[0]) if gained > 0 and last[0] > first[0] else None

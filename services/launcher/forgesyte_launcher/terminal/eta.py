"""A job's speed and the time it has left, estimated from its record as it is read now and then."""

from collections import deque
from dataclasses import dataclass, field

from forgesyte_contracts.http.jobs import JobView

WINDOW_S = 10.0
"""The speed is an average over this much of the past: long enough to be steady, short enough to follow a change."""


@dataclass(slots=True)
class Eta:
    """The estimate: a moving window over (moment, frames done, percent done), with moments in monotonic seconds."""

    _seen: deque[tuple[float, int, int]] = field(default_factory=deque)

    def observe(self, job: JobView, now_s: float) -> None:
        """Add a record; when a new attempt starts again at an earlier frame, the window starts again too."""
        frames = job.current_frame or 0
        if self._seen and frames < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or frames > self._seen[-1][1]:
            self._seen.append((now_s, frames, job.progress or 0))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()

    @property
    def fps(self) -> float | None:
        """Frames per second; None until two records differ."""
        return self._rate(1)

    def seconds_left(self, job: JobView) -> float | None:
        """Return the seconds to the end, by frames if their total is known, else by percent; None if neither moves."""
        if job.total_frames and self.fps:
            return max(0, job.total_frames - (job.current_frame or 0)) / self.fps
        percent_per_s = self._rate(2)
        return (100 - (job.progress or 0)) / percent_per_s if percent_per_s else None

    def _rate(self, column: int) -> float | None:
        if len(self._seen) < 2:
            return None
        first, last = self._seen[0], self._seen[-1]
        gained = last[column] - first[column]
        return gained / (last[0] - first[0]) if gained > 0 and last[0] > first[0] else None

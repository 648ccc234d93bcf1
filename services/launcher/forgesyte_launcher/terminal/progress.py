"""A job's progress for the user: a bar on a terminal, and a plain line now and then anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus

from .eta import Eta

PLAIN_EVERY_S = 5.0
"""Seconds between two plain lines; a change of status is written at once."""


class ProgressView(Protocol):
    """Shows progress."""

    def say(self, text: str) -> None:
        """Show what happens before and after the job: the stack starts, a video is drawn."""

    def note(self, text: str) -> None:
        """Print a line that stays: how the job is followed, a warning of the job."""

    def sent(self, name: str, total_bytes: int | None, sent_bytes: int) -> None:
        """Show how much of the media is uploaded; the total of a stream is not known."""

    def show(self, job: JobView) -> None:
        """Show the job as its record describes it; a record that is older than what was shown changes nothing."""


@contextmanager
def open_progress(console: Console, *, clock: Clock | None = None) -> Iterator[ProgressView]:
    """Open the view that fits `console`; after the block the bar is gone from the terminal."""
    clock = clock or SystemClock()
    if not console.is_terminal:
        lines = _Lines(console, clock)
        try:
            yield lines
        finally:
            lines.end()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, clock)


class _Forward:
    """Passes on what is news: messages overtake each other, and a record may be older than the last message.

    The percentage never falls, not even when a new attempt begins at an earlier frame, and a job that has ended stays
    so.
    """

    def __init__(self) -> None:
        self._shown: JobView | None = None

    def news(self, job: JobView) -> JobView | None:
        """Return the job as it is to be shown; None when it is older than what was shown."""
        before = self._shown
        if before is not None:
            if before.status.is_terminal and not job.status.is_terminal:
                return None
            order = job.attempt, job.current_frame or 0
            if not job.status.is_terminal and order < (before.attempt, before.current_frame or 0):
                return None
            percents = [one for one in (before.progress, job.progress) if one is not None]
            job = job.model_copy(update={"progress": max(percents, default=None)})
        if job.status is JobStatus.COMPLETED:
            job = job.model_copy(update={"progress": 100})
        self._shown = job
        return job


class _Bar:
    def __init__(self, bar: Progress, clock: Clock) -> None:
        self._forward = _Forward()
        self._bar = bar
        self._task = bar.add_task("", total=None, facts="")
        self._clock = clock
        self._eta = Eta()

    def say(self, text: str) -> None:
        self._bar.tasks[0].total = None  # update() takes None for "unchanged"; without a total the bar only pulses
        self._bar.update(self._task, description=text, facts="")

    def note(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)

    def sent(self, name: str, total_bytes: int | None, sent_bytes: int) -> None:
        if total_bytes is None:
            self.say(f"uploading {name}  {mebibytes(sent_bytes)}")
        elif 0 < total_bytes <= sent_bytes:
            self.say(f"{name} is uploaded; the server is checking it")
        else:
            self._bar.update(self._task, description=f"uploading {name}", total=total_bytes, completed=sent_bytes)

    def show(self, job: JobView) -> None:
        news = self._forward.news(job)
        if news is None:
            return
        job = news
        self._eta.observe(job, self._clock.monotonic_s())
        self._bar.update(
            self._task,
            description=describe(job),
            total=100 if job.progress else None,
            completed=job.progress or 0,
            facts=facts(job, self._eta),
        )


class _Lines:
    def __init__(self, console: Console, clock: Clock) -> None:
        self._forward = _Forward()
        self._console = console
        self._clock = clock
        self._eta = Eta()
        self._status = ""
        self._next_s = 0.0
        self._completed = ""

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self.say(text)

    def sent(self, name: str, total_bytes: int | None, sent_bytes: int) -> None:
        now_s = self._clock.monotonic_s()
        if sent_bytes and now_s < self._next_s:
            return
        self._next_s = now_s + PLAIN_EVERY_S
        # Not in percent, which here is the job's alone: a reader of the lines would see it fall when the job begins.
        share = f"{mebibytes(sent_bytes)} of {mebibytes(total_bytes)}" if total_bytes else mebibytes(sent_bytes)
        self.say(f"uploading {name}  {share}" if sent_bytes else f"uploading {name}")

    def show(self, job: JobView) -> None:
        news = self._forward.news(job)
        if news is None:
            return
        job, now_s = news, self._clock.monotonic_s()
        self._eta.observe(job, now_s)
        if job.status == self._status and now_s < self._next_s:
            return
        self._status, self._next_s = job.status, now_s + PLAIN_EVERY_S
        percent = "" if job.progress is None else f"{job.progress}%"
        line = "  ".join(filter(None, (describe(job), percent, facts(job, self._eta))))
        if job.status is JobStatus.COMPLETED:
            self._completed = line
        else:
            self.say(line)

    def end(self) -> None:
        """Print that the job is completed: the last line, after what is said while its results are written."""
        if self._completed:
            self.say(self._completed)


def describe(job: JobView) -> str:
    """Return what runs and its state: plugin, tools, status and, from the second one on, the attempt."""
    again = f" (attempt {job.attempt})" if job.attempt > 1 else ""
    return f"{job.plugin_id} {'+'.join(job.tools)}: {job.status}{again}"


def mebibytes(count: int) -> str:
    """Return a number of bytes for people: `12.3 MiB`."""
    return f"{count / (1 << 20):.1f} MiB"


def facts(job: JobView, eta: Eta) -> str:
    """Return how far and how fast, as far as it is known: `158/377 frames  31.2 fps  0:07 left`."""
    parts = []
    if job.current_frame is not None:
        total = f"/{job.total_frames}" if job.total_frames else ""
        parts.append(f"{job.current_frame}{total} frames")
    if not job.status.is_terminal:
        if eta.fps:
            parts.append(f"{eta.fps:.1f} fps")
        left_s = eta.seconds_left(job)
        if left_s is not None:
            parts.append(f"{int(left_s) // 60}:{int(left_s) % 60:02d} left")
    return "  ".join(parts)

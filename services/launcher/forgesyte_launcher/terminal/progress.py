"""A job's progress for the user: a bar on a terminal, and a plain line now and then anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from forgesyte_chassis.clock import Clock, SystemClock
from forgesyte_contracts.http.jobs import JobView

from .eta import Eta

PLAIN_EVERY_S = 5.0
"""Seconds between two plain lines; a change of status is written at once."""


class ProgressView(Protocol):
    """Shows progress."""

    def say(self, text: str) -> None:
        """Show what happens before and after the job: the stack starts, a video is drawn."""

    def note(self, text: str) -> None:
        """Print a line that stays: how the job is followed, a warning of the job."""

    def sent(self, name: str, total_bytes: int, sent_bytes: int) -> None:
        """Show how much of the media is uploaded."""

    def show(self, job: JobView) -> None:
        """Show the job as its record describes it."""


@contextmanager
def open_progress(console: Console, *, clock: Clock | None = None) -> Iterator[ProgressView]:
    """Open the view that fits `console`; after the block the bar is gone from the terminal."""
    clock = clock or SystemClock()
    if not console.is_terminal:
        yield _Lines(console, clock)
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


class _Bar:
    def __init__(self, bar: Progress, clock: Clock) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, facts="")
        self._clock = clock
        self._eta = Eta()

    def say(self, text: str) -> None:
        self._bar.tasks[0].total = None  # update() takes None for "unchanged"; without a total the bar only pulses
        self._bar.update(self._task, description=text, facts="")

    def note(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)

    def sent(self, name: str, total_bytes: int, sent_bytes: int) -> None:
        if 0 < total_bytes <= sent_bytes:
            self.say(f"{name} is uploaded; the server is checking it")
        else:
            self._bar.update(self._task, description=f"uploading {name}", total=total_bytes, completed=sent_bytes)

    def show(self, job: JobView) -> None:
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
        self._console = console
        self._clock = clock
        self._eta = Eta()
        self._status = ""
        self._next_s = 0.0

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self.say(text)

    def sent(self, name: str, total_bytes: int, sent_bytes: int) -> None:
        now_s = self._clock.monotonic_s()
        if sent_bytes and now_s < self._next_s:
            return
        self._next_s = now_s + PLAIN_EVERY_S
        share = f"  {100 * sent_bytes // total_bytes}%" if sent_bytes else ""
        self.say(f"uploading {name}{share}")

    def show(self, job: JobView) -> None:
        now_s = self._clock.monotonic_s()
        self._eta.observe(job, now_s)
        if job.status == self._status and now_s < self._next_s:
            return
        self._status, self._next_s = job.status, now_s + PLAIN_EVERY_S
        self.say(f"{describe(job)}  {job.progress or 0}%  {facts(job, self._eta)}".rstrip())


def describe(job: JobView) -> str:
    """Return what runs and its state: plugin, tools, status and, from the second one on, the attempt."""
    again = f" (attempt {job.attempt})" if job.attempt > 1 else ""
    return f"{job.plugin_id} {'+'.join(job.tools)}: {job.status}{again}"


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

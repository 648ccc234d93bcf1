"""The slots of a runner: how many jobs run at once, which ones, and how to reach each of them.

A slot is reserved before a message is pulled, so that no message waits in this process for room while another runner
has some.
"""

from collections.abc import Callable
from typing import Protocol

from forgesyte_contracts.ids import JobId


class RunningJob(Protocol):
    """What others may do with a job that runs here."""

    async def stop_if_ended(self) -> bool:
        """Read the record; when the job is no longer ours, stop, and give True once the sandbox is dead."""

    def release(self) -> None:
        """Give the job back to the queue without blame."""


class Slots[JobT: RunningJob]:
    """Counts reserved slots and knows the jobs in them; `on_free` is called whenever a job left its slot."""

    def __init__(self, count: int, on_free: Callable[[], None] = lambda: None) -> None:
        self.count = count
        self._on_free = on_free
        self._reserved = 0
        self._is_releasing = False
        self.jobs: dict[JobId, JobT] = {}

    @property
    def is_full(self) -> bool:
        """Whether no slot is free."""
        return self._reserved >= self.count

    def reserve(self) -> None:
        """Take a free slot.

        Raises:
            RuntimeError: none is free; ask is_full first.
        """
        if self.is_full:
            raise RuntimeError(f"all {self.count} slots are reserved")
        self._reserved += 1

    def unreserve(self) -> None:
        """Give a slot back in which no job was."""
        self._reserved -= 1

    def free(self) -> None:
        """Give a slot back after a job, and say so."""
        self.unreserve()
        self._on_free()

    def enter(self, job_id: JobId, job: JobT) -> None:
        """Make a job known that has just been claimed."""
        self.jobs[job_id] = job
        if self._is_releasing:
            job.release()

    def release_all(self) -> None:
        """Have every job give itself back, also one whose claim is still under way."""
        self._is_releasing = True
        for job in self.jobs.values():
            job.release()

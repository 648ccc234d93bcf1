"""The slots of a runner: how many jobs run at once, which ones, and how to reach each of them.

A slot is reserved before a message is pulled, so that no message waits in this process for room while another runner
has some. A device may take fewer jobs than there are slots: then its jobs need room of both.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from forgesyte_contracts.ids import JobId


class RunningJob(Protocol):
    """What others may do with a job that runs here."""

    async def stop_if_ended(self) -> bool:
        """Read the record; when the job is no longer ours, stop, and give True once the sandbox is dead."""

    def release(self, *, even_finishing: bool = False) -> None:
        """Give the job back to the queue without blame; one of which only the ending is left when told so."""


class Slots[JobT: RunningJob]:
    """Counts reserved slots and knows the jobs in them.

    Args:
        count: how many jobs run at once.
        on_free: called whenever a job left its slot.
        of_device: how many of them on one kind of device, where that is fewer.
    """

    def __init__(
        self, count: int, on_free: Callable[[], None] = lambda: None, *, of_device: Mapping[str, int] | None = None
    ) -> None:
        self.count = count
        self._on_free = on_free
        self._of_device = of_device or {}
        self._reserved: Counter[str] = Counter()
        self._is_releasing = False
        self.jobs: dict[JobId, JobT] = {}

    @property
    def is_full(self) -> bool:
        """Whether no slot is free."""
        return self._reserved.total() >= self.count

    def has_room(self, device: str) -> bool:
        """Whether a job on this kind of device can be taken."""
        return not self.is_full and self._reserved[device] < self._of_device.get(device, self.count)

    def reserve(self, device: str) -> None:
        """Take a free slot for a job on this kind of device.

        Raises:
            RuntimeError: none is free; ask has_room first.
        """
        if not self.has_room(device):
            raise RuntimeError(f"no slot for {device} is free of {self.count} in all")
        self._reserved[device] += 1

    def unreserve(self, device: str) -> None:
        """Give a slot back in which no job was."""
        self._reserved[device] -= 1

    def free(self, device: str) -> None:
        """Give a slot back after a job, and say so."""
        self.unreserve(device)
        self._on_free()

    def enter(self, job_id: JobId, job: JobT) -> None:
        """Make a job known that has just been claimed."""
        self.jobs[job_id] = job
        if self._is_releasing:
            job.release()

    def leave(self, job_id: JobId, job: JobT) -> None:
        """Forget a job that has ended here; another one of the same id is left alone."""
        if self.jobs.get(job_id) is job:
            del self.jobs[job_id]

    def release_all(self, *, even_finishing: bool = False) -> None:
        """Have every job give itself back, also one whose claim is still under way.

        Args:
            even_finishing: also those of which only the ending is left.
        """
        self._is_releasing = True
        for job in self.jobs.values():
            job.release(even_finishing=even_finishing)

"""The slots of a runner: how many jobs run at once, which ones, and how to reach each of them.

A slot is reserved before a message is pulled, so that no message waits in this process for a slot while another runner
has a free one. A device may take fewer jobs than there are slots: its jobs then need a free place in both.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord


class RunningJob(Protocol):
    """What other parts may do with a job that runs here."""

    @property
    def record(self) -> JobRecord:
        """Its record as it was last written here."""

    def cancel(self) -> bool:
        """Cancel the job, and return whether that is being done; False when the attempt ends for another reason."""

    def release(self, *, even_finishing: bool = False) -> None:
        """Give the job back to the queue without blame; also one that only needs to be ended, if so asked."""


class Slots[JobT: RunningJob]:
    """Counts reserved slots and knows the jobs in them.

    Args:
        count: how many jobs run at once.
        on_free: called whenever a job leaves its slot.
        of_device: how many of them may use one kind of device, where that is fewer.
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

    def runs_alone(self, job_id: JobId) -> bool:
        """Whether a job that was admitted alone still is; also before it is in its slot."""
        job = self.jobs.get(job_id)
        return job is None or job.record.runs_alone

    def reserve(self, device: str) -> None:
        """Take a free slot for a job on this kind of device.

        Raises:
            RuntimeError: none is free; check has_room first.
        """
        if not self.has_room(device):
            raise RuntimeError(f"none of the {self.count} slots is free for {device}")
        self._reserved[device] += 1

    def unreserve(self, device: str) -> None:
        """Return a slot that no job used."""
        self._reserved[device] -= 1

    def free(self, device: str) -> None:
        """Return a slot after a job, and call on_free."""
        self.unreserve(device)
        self._on_free()

    def enter(self, job_id: JobId, job: JobT) -> None:
        """Add a job that was just claimed."""
        self.jobs[job_id] = job
        if self._is_releasing:
            job.release()

    def leave(self, job_id: JobId, job: JobT) -> None:
        """Remove a job that has ended here; another attempt with the same id is left alone."""
        if self.jobs.get(job_id) is job:
            del self.jobs[job_id]

    def release_all(self, *, even_finishing: bool = False) -> None:
        """Make every job give itself back, including one whose claim is still under way.

        Args:
            even_finishing: also those that only need to be ended.
        """
        self._is_releasing = True
        for job in self.jobs.values():
            job.release(even_finishing=even_finishing)

"""The sandboxes that run a job at this moment: the plugin of each, and the memory it holds and may hold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.runners import RunningStep
from forgesyte_sandbox.shared.process_memory import resident_bytes
from forgesyte_sandbox.shared.process_tree import descendants_of


@dataclass(frozen=True, slots=True)
class LivingSandbox:
    """One sandbox: its process, and the bytes its job may use above the warm baseline."""

    plugin: str
    pid: int
    limit_bytes: int

    def held_bytes(self) -> int:
        """Return the resident bytes of the process and all its descendants; 0 when it is gone."""
        return sum(map(resident_bytes, (self.pid, *descendants_of(self.pid))))


@dataclass(slots=True)
class LivingSandboxes:
    """Kept by the attempts, read by the metrics from another thread."""

    _living: dict[int, LivingSandbox] = field(default_factory=dict)
    _steps: dict[JobId, Callable[[], float | None]] = field(default_factory=dict)

    def enter(self, sandbox: LivingSandbox) -> None:
        """Add a sandbox that started."""
        self._living[sandbox.pid] = sandbox

    def leave(self, pid: int) -> None:
        """Remove a sandbox that died."""
        self._living.pop(pid, None)

    def all(self) -> list[LivingSandbox]:
        """Return those that live now."""
        return list(self._living.values())

    def steps(self) -> tuple[RunningStep, ...]:
        """Return the steps under way that have a limit, with how long each may still take."""
        left_s = {job_id: step_left_s() for job_id, step_left_s in self._steps.items()}
        return tuple(RunningStep(job_id=job_id, left_s=left) for job_id, left in left_s.items() if left is not None)

    @contextmanager
    def follow(self, job_id: JobId, plugin: str, limit_bytes: int) -> Iterator["SandboxOfJob"]:
        """Show the sandbox of one job as living, from the moment it starts until the block ends."""
        followed = SandboxOfJob(
            self, plugin, limit_bytes, lambda step_left_s: self._steps.update({job_id: step_left_s})
        )
        try:
            yield followed
        finally:
            followed.leave()
            self._steps.pop(job_id, None)


@dataclass(slots=True)
class SandboxOfJob:
    """The sandbox of one job; a warm one that had died before it took the job is replaced by another.

    Attributes:
        watch: called with what returns how long the job's step may still take.
    """

    _living: LivingSandboxes
    _plugin: str
    _limit_bytes: int
    watch: Callable[[Callable[[], float | None]], None]
    _pid: int | None = None

    @property
    def has_started(self) -> bool:
        """Whether a sandbox was started for the job."""
        return self._pid is not None

    def started(self, pid: int) -> None:
        """Note the process in which the job runs from now on."""
        self.leave()
        self._pid = pid
        self._living.enter(LivingSandbox(self._plugin, pid, self._limit_bytes))

    def leave(self) -> None:
        """Show the sandbox no longer."""
        if self._pid is not None:
            self._living.leave(self._pid)

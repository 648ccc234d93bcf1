"""The sandboxes that run a job at this moment: the plugin of each, and the memory it holds and may hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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

    def enter(self, sandbox: LivingSandbox) -> None:
        """Add a sandbox that started."""
        self._living[sandbox.pid] = sandbox

    def leave(self, pid: int) -> None:
        """Remove a sandbox that died."""
        self._living.pop(pid, None)

    def all(self) -> list[LivingSandbox]:
        """Return those that live now."""
        return list(self._living.values())

    @contextmanager
    def follow(self, plugin: str, limit_bytes: int) -> Iterator["SandboxOfJob"]:
        """Show the sandbox of one job as living, from the moment it starts until the block ends."""
        followed = SandboxOfJob(self, plugin, limit_bytes)
        try:
            yield followed
        finally:
            followed.leave()


@dataclass(slots=True)
class SandboxOfJob:
    """The sandbox of one job; a warm one that had died before it took the job is replaced by another."""

    _living: LivingSandboxes
    _plugin: str
    _limit_bytes: int
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

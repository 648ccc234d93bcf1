"""The sandboxes that live at this moment: which plugin each is of, and what memory it holds and may hold."""

from collections import Counter
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
        """Resident bytes of the process and all that it started; 0 when it is gone."""
        return sum(map(resident_bytes, (self.pid, *descendants_of(self.pid))))


@dataclass(slots=True)
class LivingSandboxes:
    """Entered and left by the attempts, read by the metrics from another thread."""

    _living: dict[int, LivingSandbox] = field(default_factory=dict)

    def enter(self, sandbox: LivingSandbox) -> None:
        """It lives from now on."""
        self._living[sandbox.pid] = sandbox

    def leave(self, pid: int | None) -> None:
        """It is dead."""
        if pid is not None:
            self._living.pop(pid, None)

    def all(self) -> list[LivingSandbox]:
        """Those that live now."""
        return list(self._living.values())

    def by_plugin(self) -> Counter[str]:
        """How many of each plugin live now."""
        return Counter(sandbox.plugin for sandbox in self.all())

"""Remembers which inputs killed a plugin's sandbox, and decides when the plugin is to blame and not the inputs.

plugin_faults.py explains the rule.
"""

from dataclasses import dataclass, field

CRASH_LIMIT = 3
CRASH_WINDOW_S = 600.0
_MAX_WHAT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Crash:
    """One death: of which job, from what, and when (monotonic seconds)."""

    job_id: str
    what: str
    at_s: float


@dataclass(slots=True)
class CrashMemory:
    """The deaths of one plugin since its last success.

    Attributes:
        limit: how many different inputs make the plugin to blame.
        window_s: seconds within which they count together.
    """

    limit: int = CRASH_LIMIT
    window_s: float = CRASH_WINDOW_S
    _by_input: dict[str, Crash] = field(default_factory=dict)

    def record(self, input_id: str, crash: Crash) -> str | None:
        """Note a death; return the reason why the plugin is no longer used, or None while it may continue."""
        after_s = crash.at_s - self.window_s
        self._by_input = {key: known for key, known in self._by_input.items() if known.at_s >= after_s}
        self._by_input[input_id] = crash
        if len(self._by_input) < self.limit:
            return None
        named = "; ".join(f"job {known.job_id}: {known.what[:_MAX_WHAT_CHARS]}" for known in self._by_input.values())
        return (
            f"{len(self._by_input)} jobs with different inputs killed its sandbox within {self.window_s / 60:g} "
            f"minutes and none succeeded in between ({named})"
        )

    def forget(self) -> None:
        """Forget all deaths: a job succeeded, so they were the inputs' fault."""
        self._by_input.clear()

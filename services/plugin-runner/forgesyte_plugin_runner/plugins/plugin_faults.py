"""Remembers which inputs killed a plugin's sandbox, and says when it is the plugin and not the inputs.

One input that kills is that job's trouble, however often it is tried. When jobs with different inputs kill the
sandbox one after the other and none succeeds between, every further job would cost a user a failed job.
"""

from dataclasses import dataclass, field

CRASH_LIMIT = 3
CRASH_WINDOW_S = 600.0
_MAX_WHAT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Crash:
    """One death: of which job, by what, and when (monotonic seconds)."""

    job_id: str
    what: str
    at_s: float


@dataclass(slots=True)
class CrashMemory:
    """The deaths of one plugin since its last success.

    Attributes:
        limit: how many different inputs are too many.
        window_s: seconds within which they count together.
    """

    limit: int = CRASH_LIMIT
    window_s: float = CRASH_WINDOW_S
    _by_input: dict[str, Crash] = field(default_factory=dict)

    def record(self, input_id: str, crash: Crash) -> str | None:
        """Note a death; gives the reason for which the plugin is no longer used, or None while it may go on."""
        after_s = crash.at_s - self.window_s
        self._by_input = {key: known for key, known in self._by_input.items() if known.at_s >= after_s}
        self._by_input[input_id] = crash
        if len(self._by_input) < self.limit:
            return None
        named = "; ".join(f"job {known.job_id}: {known.what[:_MAX_WHAT_CHARS]}" for known in self._by_input.values())
        return (
            f"{len(self._by_input)} jobs with different inputs killed its sandbox within {self.window_s / 60:g} "
            f"minutes and none succeeded between ({named})"
        )

    def forget(self) -> None:
        """A job succeeded: what came before was the inputs' fault."""
        self._by_input.clear()

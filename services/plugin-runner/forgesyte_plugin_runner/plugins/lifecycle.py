"""The states of a plugin in one runner, and the one table of moves between them.

    found --> LOADED --> INITIALIZED <--> RUNNING
                |             |              |
                +-------------+--------------+--> FAILED, UNAVAILABLE --> (reload) LOADED

LOADED: the manifest was read. INITIALIZED: validated and ready. RUNNING: a sandbox is running a job of it, which is
true by construction: the state is shown from fork to verdict, and the sandbox's watchdog gives the verdict when a step
does not advance within its limit. FAILED and UNAVAILABLE are sticky: only loading the plugin again, by a reload or a
restart, leads out of them, so that no job has to discover again what is already known.
"""

from forgesyte_contracts.plugins import PluginState

_BROKEN = frozenset(state for state in PluginState if state.is_broken)
_FRESH_LOOK = frozenset({PluginState.LOADED})

LEGAL_MOVES: dict[PluginState, frozenset[PluginState]] = {
    PluginState.LOADED: _FRESH_LOOK | {PluginState.INITIALIZED, PluginState.RUNNING} | _BROKEN,
    PluginState.INITIALIZED: _FRESH_LOOK | {PluginState.RUNNING} | _BROKEN,
    PluginState.RUNNING: _FRESH_LOOK | {PluginState.INITIALIZED} | _BROKEN,
    PluginState.FAILED: _FRESH_LOOK,
    PluginState.UNAVAILABLE: _FRESH_LOOK,
}
"""LOADED leads to RUNNING when a plugin is reloaded while a job uses it: the job is untouched."""

MAX_REASON_CHARS = 4000
REMEDY = "Fix this, then reload the plugin or restart the runner"


class IllegalPluginMove(ValueError):
    """A plugin may not make this move; the text names both states."""


class PluginLifecycle:
    """The state of one plugin, and the reason when it cannot be used.

    Attributes:
        state: starts as LOADED.
        reason: None while nothing is wrong.
    """

    __slots__ = ("reason", "state")

    def __init__(self) -> None:
        self.state = PluginState.LOADED
        self.reason: str | None = None

    def move(self, to: PluginState, reason: str | None = None) -> None:
        """Go to another state.

        Args:
            to: FAILED and UNAVAILABLE need a reason, the others take none.
            reason: what is wrong or missing; the remedy is appended.

        Raises:
            IllegalPluginMove: the table does not have this move.
        """
        if to not in LEGAL_MOVES[self.state]:
            raise IllegalPluginMove(f"a plugin that is {self.state} cannot become {to}")
        self.reason = _with_remedy(reason or "") if to.is_broken else None
        self.state = to


def _with_remedy(reason: str) -> str:
    said = reason.strip() or "no reason was given; check the runner's log"
    cut = said if len(said) <= MAX_REASON_CHARS - len(REMEDY) - 2 else said[: MAX_REASON_CHARS - len(REMEDY) - 3] + "…"
    return f"{cut.rstrip('.')}. {REMEDY}"

"""The states of a plugin in one runner, and the one table of moves between them.

    found --> LOADED --> INITIALIZED <--> RUNNING
                |             |              |
                +-------------+--------------+--> FAILED, UNAVAILABLE --> (reload) LOADED

LOADED: the manifest was looked at. INITIALIZED: validated and ready. RUNNING: a sandbox with a job of it lives, which
is true by construction: it is shown from the fork to the verdict, and the sandbox's watchdog gives the verdict when a
step does not move within its limit. FAILED and UNAVAILABLE are sticky: nothing but a fresh look at the plugin, by a
reload or a restart, leads out of them, so that no job has to find out again what is known already.
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
"""LOADED leads to RUNNING when a plugin was reloaded while a job was on it: the job is untouched."""

MIN_REASON_CHARS = 10
MAX_REASON_CHARS = 4000
REMEDY = "Mend that, then reload the plugin or restart the runner"


class IllegalPluginMove(ValueError):
    """A plugin was asked to go where it may not; the text names both states."""


class PluginLifecycle:
    """Where one plugin stands, and why when it can not be used.

    Attributes:
        state: begins as LOADED.
        reason: None in the states in which nothing is wrong.
    """

    __slots__ = ("reason", "state")

    def __init__(self) -> None:
        self.state = PluginState.LOADED
        self.reason: str | None = None

    def move(self, to: PluginState, reason: str | None = None) -> None:
        """Go to another state.

        Args:
            to: FAILED and UNAVAILABLE need a reason, the others take none.
            reason: what is wrong or missing; the remedy is put behind it.

        Raises:
            IllegalMove: the table does not have this move.
        """
        if to not in LEGAL_MOVES[self.state]:
            raise IllegalPluginMove(f"a plugin that is {self.state} can not become {to}")
        self.reason = _with_remedy(reason or "") if to.is_broken else None
        self.state = to


def _with_remedy(reason: str) -> str:
    said = reason.strip() or "no reason was given; the runner's log may tell"
    cut = said if len(said) <= MAX_REASON_CHARS - len(REMEDY) - 2 else said[: MAX_REASON_CHARS - len(REMEDY) - 3] + "…"
    return f"{cut.rstrip('.')}. {REMEDY}"

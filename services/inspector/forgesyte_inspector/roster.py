"""Which runners live, drain or are lost, judged by when each was last heard of.

The bus's own view gives nobody up while the bus is away, because then nobody can beat. For claims that is right; for
a picture of now it would be a lie, so here silence counts whatever its cause. A runner that says goodbye leaves at
once and is not lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forgesyte_contracts.http.runners import RunnerState
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import HEARTBEAT_EVERY_S

from .settings import InspectorSettings

_MAX_LOST = 100
_GOODBYE_LIMIT_S = 2 * HEARTBEAT_EVERY_S


@dataclass(slots=True)
class _Heard:
    beat: RunnerHeartbeat
    at_s: float
    lost_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class SeenRunner:
    """A runner as last heard of, `silent_s` seconds ago."""

    runner_id: str
    state: RunnerState
    silent_s: float
    heartbeat: RunnerHeartbeat


class Roster:
    """The runners of this moment and those lost not long ago.

    Args:
        heard: gives the last heartbeat of each runner the bus still counts as living, by runner id.
        clock: monotonic seconds.
        settings: when a silent runner is lost, and for how long it is shown.
    """

    def __init__(
        self,
        heard: Callable[[], Mapping[str, RunnerHeartbeat]],
        clock: Callable[[], float],
        settings: InspectorSettings,
    ) -> None:
        self._heard_on_bus = heard
        self._clock = clock
        self._lost_after_s = settings.lost_after_s
        self._lost_kept_s = settings.lost_kept_s
        self._runners: dict[str, _Heard] = {}

    def look(self) -> None:
        """Note what was heard since the last look; to be called at least once a heartbeat."""
        now_s, current = self._clock(), self._heard_on_bus()
        for runner_id, beat in current.items():
            known = self._runners.get(runner_id)
            # Each beat that arrives is an object of its own, also when it says the same as the one before.
            if known is None or known.beat is not beat:
                self._runners[runner_id] = _Heard(beat, now_s)
        for runner_id, known in list(self._runners.items()):
            if known.lost_at_s is None:
                self._judge(runner_id, known, now_s, is_on_bus=runner_id in current)
            elif now_s - known.lost_at_s >= self._lost_kept_s:
                del self._runners[runner_id]
        self._forget_the_oldest_lost()

    def all(self) -> list[SeenRunner]:
        """Look, and give every runner, the lost ones too, in order of their ids."""
        self.look()
        now_s = self._clock()
        return [
            SeenRunner(runner_id, _state_of(known), max(now_s - known.at_s, 0.0), known.beat)
            for runner_id, known in sorted(self._runners.items())
        ]

    def living(self) -> dict[str, RunnerHeartbeat]:
        """Look, and give the last heartbeat of each runner that is not lost; a draining one lives."""
        self.look()
        return {runner_id: known.beat for runner_id, known in self._runners.items() if known.lost_at_s is None}

    def _judge(self, runner_id: str, known: _Heard, now_s: float, *, is_on_bus: bool) -> None:
        silent_s = now_s - known.at_s
        if is_on_bus and silent_s < self._lost_after_s:
            return
        # The bus forgets a goodbye and a silent runner alike; but a silent one was not heard of for 8 s before that.
        if not is_on_bus and silent_s < _GOODBYE_LIMIT_S:
            del self._runners[runner_id]
        else:
            known.lost_at_s = now_s

    def _forget_the_oldest_lost(self) -> None:
        lost = [(at.lost_at_s, runner_id) for runner_id, at in self._runners.items() if at.lost_at_s is not None]
        for _, runner_id in sorted(lost)[:-_MAX_LOST]:
            del self._runners[runner_id]


def _state_of(known: _Heard) -> RunnerState:
    if known.lost_at_s is not None:
        return RunnerState.LOST
    return RunnerState.DRAINING if known.beat.draining else RunnerState.ALIVE

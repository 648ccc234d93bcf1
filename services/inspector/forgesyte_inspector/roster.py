"""Which runners are alive, draining or lost, judged by when each was last heard from.

The bus's own view gives up no runner while the bus is down, because no heartbeat can arrive then. That is right for
claims, but it would misreport the present, so here silence counts whatever its cause. A runner that says goodbye is
removed at once and never counts as lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forgesyte_chassis.clock import Clock
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
    """A runner as it was when last heard from, `silent_s` seconds ago."""

    runner_id: str
    state: RunnerState
    silent_s: float
    heartbeat: RunnerHeartbeat


class Roster:
    """The runners of this moment and those lost recently.

    Args:
        heard: returns the last heartbeat of each runner that the bus still counts as living, by runner id.
        clock: times the silence.
        settings: when a silent runner is lost, and for how long it is shown.
    """

    def __init__(
        self,
        heard: Callable[[], Mapping[str, RunnerHeartbeat]],
        clock: Clock,
        settings: InspectorSettings,
    ) -> None:
        self._heard_on_bus = heard
        self._clock = clock
        self._lost_after_s = settings.lost_after_s
        self._lost_kept_s = settings.lost_kept_s
        self._runners: dict[str, _Heard] = {}

    def look(self) -> None:
        """Note the heartbeats since the last look; call it at least once per heartbeat."""
        now_s, current = self._clock.monotonic_s(), self._heard_on_bus()
        for runner_id, beat in current.items():
            known = self._runners.get(runner_id)
            # Each heartbeat is an object of its own, even when it equals the one before.
            if known is None or known.beat is not beat:
                self._runners[runner_id] = _Heard(beat, now_s)
        for runner_id, known in list(self._runners.items()):
            if known.lost_at_s is None:
                self._judge(runner_id, known, now_s, is_on_bus=runner_id in current)
            elif now_s - known.lost_at_s >= self._lost_kept_s:
                del self._runners[runner_id]
        self._forget_the_oldest_lost()

    def all(self) -> list[SeenRunner]:
        """Look, and return every runner, including the lost ones, ordered by id."""
        self.look()
        now_s = self._clock.monotonic_s()
        return [
            SeenRunner(runner_id, _state_of(known), max(now_s - known.at_s, 0.0), known.beat)
            for runner_id, known in sorted(self._runners.items())
        ]

    def living(self) -> dict[str, RunnerHeartbeat]:
        """Look, and return the last heartbeat of each runner that is not lost; a draining one counts as living."""
        self.look()
        return {runner_id: known.beat for runner_id, known in self._runners.items() if known.lost_at_s is None}

    def _judge(self, runner_id: str, known: _Heard, now_s: float, *, is_on_bus: bool) -> None:
        silent_s = now_s - known.at_s
        if is_on_bus and silent_s < self._lost_after_s:
            return
        # The bus forgets runners that said goodbye and silent ones alike, but a silent one only after 8 s.
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

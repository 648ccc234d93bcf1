"""Whether jobs get on: whether a runner lives for each that waits, and whether every step that runs is ended in time.

A pool of runners that an autoscaler holds at zero is no fault: when its last runner took its leave, jobs may wait for a
while. A runner that fell silent without a word is one at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import RUNNERS
from forgesyte_job_api.catalog import offers_of
from forgesyte_job_api.projection import Projection, SeenJob

OVERDUE_S = 10.0
"""How long a step may be over its own limit: its runner ends it at once, and says so with its next heartbeat."""

UNSAID_S = RUNNERS.ttl_s or 0.0
"""How long a step may take of which the runner's last heartbeat says nothing: as long as that heartbeat is good."""

Heard = Mapping[str, tuple[float, RunnerHeartbeat]]
"""By runner id: seconds since its last heartbeat, and that heartbeat."""


@dataclass(frozen=True, slots=True)
class StandingJobs:
    """Looks for jobs that do not get on.

    Attributes:
        projection: the jobs.
        living: returns the living runners' heartbeats by runner id.
        known: returns the runners that have not taken their leave, also those that do not live.
        left_s: returns how long ago a runner that offered a plugin last took its leave; None if none did.
        clock: ages the jobs.
        grace_s: seconds for which jobs may wait for a pool without runners.
    """

    projection: Projection
    living: Callable[[], Mapping[str, RunnerHeartbeat]]
    known: Callable[[], Heard]
    left_s: Callable[[str], float | None]
    clock: Clock
    grace_s: float

    def without_runner(self) -> str | None:
        """Say, in a sentence, that jobs wait and no living runner would take them; None when that is not so."""
        living = self._takers()
        for seen in self._waiting():
            record = seen.record
            if any(record.device in {device.kind for device in beat.devices} for beat in living.values()):
                continue
            if (since := self._why_now(seen)) is not None:
                kind = f"runner with a {record.device}" if living else "runner"
                return f"job {record.job_id} waits for plugin {record.plugin_id}, and no {kind} lives{since}."
        return None

    def without_plugin(self) -> str | None:
        """Say that a plugin that jobs wait for is offered by none of the living runners, or runs in none."""
        living = self._takers()
        offers = offers_of(living)
        for seen in self._waiting() if living else ():
            record = seen.record
            offer = offers.get(PluginName(record.plugin_id))
            if offer is not None and offer.is_broken:
                why = offer.reason or "its runners gave no reason"
                return f"jobs wait for plugin {offer.name}, which is {offer.state.value} in every runner: {why}"
            if offer is None and (since := self._why_now(seen)) is not None:
                return (
                    f"job {record.job_id} waits for plugin {record.plugin_id}, and no living runner offers it{since}."
                )
        return None

    def overdue(self) -> str | None:
        """Say that a step of a job is over its own limit and its runner has not ended it."""
        known = self.known()
        for seen in self.projection.on_bus():
            job_id, owner = seen.record.job_id, seen.record.owner
            if owner is None or owner not in known:
                continue
            silent_s, beat = known[owner]
            over_s = silent_s - next((step.left_s for step in beat.steps if step.job_id == job_id), UNSAID_S)
            if over_s > OVERDUE_S:
                return (
                    f"job {job_id} stands still: its step passed its limit {over_s:.0f} s ago, and its runner {owner}, "
                    f"last heard {silent_s:.0f} s ago, has not ended it. Restart that runner."
                )
        return None

    def _takers(self) -> dict[str, RunnerHeartbeat]:
        return {runner_id: beat for runner_id, beat in self.living().items() if not beat.draining}

    def _waiting(self) -> Iterator[SeenJob]:
        living = self.living()
        return (seen for seen in self.projection.on_bus() if _waits(seen.record, living))

    def _why_now(self, seen: SeenJob) -> str | None:
        """Return since when the runner has been silent, or how long the job has waited; None within the grace."""
        living, plugin_id = self.living(), seen.record.plugin_id
        left_s = self.left_s(plugin_id)
        lost = [
            silent_s
            for runner_id, (silent_s, beat) in self.known().items()
            if runner_id not in living and plugin_id in {plugin.name for plugin in beat.plugins}
            if left_s is None or silent_s < left_s  # else others came after it, and it is they who left the pool empty
        ]
        if lost:
            return f"; the last that offered it fell silent {min(lost):.0f} s ago"
        waits_s = self.clock.monotonic_s() - seen.since_s
        return f"; it has waited for {waits_s:.0f} s" if waits_s > self.grace_s else None


def _waits(record: JobRecord, living: Mapping[str, RunnerHeartbeat]) -> bool:
    if record.status is JobStatus.PENDING:
        return True
    return record.status is JobStatus.RUNNING and (record.owner is None or record.owner not in living)

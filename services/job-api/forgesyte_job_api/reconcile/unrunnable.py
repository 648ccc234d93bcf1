"""Jobs that wait for a runner although none can run them: for how long that has been so, and when they end.

Judged by the living runners alone and only over uninterrupted periods, so that a restart of a runner or of the bus ends
no job.
"""

from collections.abc import Iterable, Mapping

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.ids import JobId, PluginName
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.runners import CPU, GPU
from forgesyte_job_api.catalog import Offer

_Route = tuple[str, str]


class Unrunnable:
    """Remembers since when a plugin cannot be run on a device.

    Args:
        clock: its monotonic time is used.
        broken_s: seconds of FAILED or UNAVAILABLE in every living runner after which a waiting job ends.
        absent_s: seconds without any runner that offers it after which a waiting job ends.
    """

    def __init__(self, clock: Clock, *, broken_s: float, absent_s: float) -> None:
        self._clock = clock
        self._broken_s = broken_s
        self._absent_s = absent_s
        self._broken: dict[_Route, float] = {}
        self._absent: dict[_Route, float] = {}

    def reset(self) -> None:
        """Start counting again: what was seen may only have been an interruption of the bus."""
        self._broken.clear()
        self._absent.clear()

    def verdicts(self, offers: Mapping[PluginName, Offer], waiting: Iterable[JobRecord]) -> dict[JobId, str]:
        """Judge the waiting jobs by the runners as they are now.

        Args:
            offers: what the living runners offer.
            waiting: the jobs that need a runner, pending ones and those that were given back.

        Returns:
            For each job that has to end, the sentence that says why.
        """
        jobs = list(waiting)
        routes = {(job.plugin_id, job.device) for job in jobs}
        routes |= {(name, device) for name, _ in offers.items() for device in (CPU, GPU)}
        reasons = {route: reason for route in routes if (reason := self._reason(route, offers)) is not None}
        self._broken = {route: since for route, since in self._broken.items() if route in routes}
        self._absent = {route: since for route, since in self._absent.items() if route in routes}
        return {
            JobId(job.job_id): reasons[job.plugin_id, job.device]
            for job in jobs
            if (job.plugin_id, job.device) in reasons
        }

    def _reason(self, route: _Route, offers: Mapping[PluginName, Offer]) -> str | None:
        plugin, device = route
        offer = offers.get(PluginName(plugin))
        broken_s = self._held_s(self._broken, route, holds=offer is not None and offer.is_broken)
        absent = offer is None or (not offer.is_broken and device not in offer.devices)
        absent_s = self._held_s(self._absent, route, holds=absent)
        if offer is not None and broken_s is not None and broken_s >= self._broken_s:
            why = offer.reason or "its runners gave no reason"
            state = offer.state.value
            remedy = "Fix the plugin or its installation, then submit the job again."
            return f"Plugin {plugin} is {state} in every runner: {why}. {remedy}"
        if absent_s is not None and absent_s >= self._absent_s:
            return (
                f"No runner has offered plugin {plugin} on {device} for {self._absent_s:g} s. "
                "Start a runner that has it, then submit the job again."
            )
        return None

    def _held_s(self, since: dict[_Route, float], route: _Route, *, holds: bool) -> float | None:
        """Return for how many seconds it has held without interruption; None when it does not hold."""
        if not holds:
            since.pop(route, None)
            return None
        now_s = self._clock.monotonic_s()
        return now_s - since.setdefault(route, now_s)

"""Which plugins, tools and devices exist, according to the runners' heartbeats.

A plugin whose runners are all gone for the moment (restarted, scaled to zero) is remembered, so its jobs are accepted
and wait. Nothing here imports or runs a plugin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from forgesyte_contracts.fleet import FleetPlugin, fleet_plugins
from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginManifest, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.runners import RunnerHeartbeat


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin as all runners together offer it.

    `state` is the best among them, `reason` belongs to it; `devices` are the kinds (cpu, gpu) on which it can run,
    `refusals` holds the reason for each kind on which it is broken. `is_living` is False when no runner offers it now;
    everything else is then as it was last seen.
    """

    name: PluginName
    state: PluginState
    reason: str | None
    manifest: PluginManifest | None
    devices: frozenset[str]
    refusals: Mapping[str, str] = field(default_factory=dict)
    is_living: bool = True

    @property
    def is_broken(self) -> bool:
        """Whether no runner can run it."""
        return self.state.is_broken


def offers_of(living: Mapping[str, RunnerHeartbeat]) -> dict[PluginName, Offer]:
    """Sum up what the living runners, given by their ids, say of their plugins."""
    return {name: _offer(name, plugin) for name, plugin in fleet_plugins(living).items()}


def _offer(name: PluginName, fleet: FleetPlugin) -> Offer:
    best = fleet.best.plugin
    devices: set[str] = set()
    refusals: dict[str, str] = {}
    for one in sorted(fleet.newest_first, key=lambda one: one.plugin.state.rank):
        kinds = {device.kind for device in one.runner.devices}
        if not one.plugin.state.is_broken:
            devices |= kinds
            continue
        for kind in kinds:
            refusals.setdefault(kind, f"{one.plugin.state.value}: {one.plugin.reason or 'the runner gave no reason'}")
    return Offer(name, best.state, best.reason, fleet.manifest, frozenset(devices), refusals)


class Catalog:
    """The plugins known to this process: those of living runners, and those that were seen earlier.

    Attributes:
        living: returns the living runners' heartbeats by runner id.
    """

    def __init__(self, living: Callable[[], Mapping[str, RunnerHeartbeat]]) -> None:
        self.living = living
        self._known: dict[PluginName, Offer] = {}

    def lives(self, runner_id: str) -> bool:
        """Whether this runner sent a heartbeat recently enough."""
        return runner_id in self.living()

    def observe(self) -> dict[PluginName, Offer]:
        """Read the living runners, remember what they offer, and return it."""
        current = offers_of(self.living())
        self._known |= current
        return current

    def get(self, name: str) -> Offer | None:
        """Return the plugin as it is now or, when no runner offers it now, as it was last seen."""
        living = self.observe()
        known = self._known.get(PluginName(name))
        return known if known is None or name in living else replace(known, is_living=False)

    def names(self) -> list[str]:
        """Return the names of all known plugins, sorted."""
        self.observe()
        return sorted(self._known)

    def usable_count(self) -> int:
        """Return how many plugins can run on some living runner."""
        return sum(not offer.is_broken for offer in self.observe().values())

    def require(self, name: str | None) -> Offer:
        """Find a plugin that can take a job.

        Raises:
            ForgeSyteError: PLUGIN_UNKNOWN when the name is missing or no runner ever offered it;
                PLUGIN_UNAVAILABLE, with the plugin's reason, when no runner can run it.
        """
        offer = self.get(name) if name else None
        if offer is None:
            raise self._unknown(name)
        if offer.is_broken or offer.manifest is None:
            reason = offer.reason or "its runners gave no reason; see their logs"
            raise ForgeSyteError(
                Code.PLUGIN_UNAVAILABLE, f"plugin {name} is {offer.state.value}: {reason}", plugin=name
            )
        return offer

    def _unknown(self, name: str | None) -> ForgeSyteError:
        known = ", ".join(self.names()) or "none, because no runner has reported yet"
        if not name:
            return ForgeSyteError(Code.PLUGIN_UNKNOWN, f"plugin_id is missing; known plugins: {known}")
        text = f"there is no plugin {name[:80]!r}; known plugins: {known}"
        return ForgeSyteError(Code.PLUGIN_UNKNOWN, text, plugin=name[:80])

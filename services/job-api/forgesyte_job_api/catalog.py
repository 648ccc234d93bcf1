"""Which plugins, tools and devices exist, as the runners' heartbeats tell it.

A plugin whose runners are all gone for the moment (restarted, scaled to zero) is remembered, so that its jobs are
accepted and wait. Nothing here imports or runs a plugin.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.runners import RunnerHeartbeat


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin as all runners together offer it.

    `state` is the best among them, `reason` belongs to it; `devices` are the kinds (cpu, gpu) on which it can run,
    `refusals` says for the kinds of runners on which it is broken how it is there. `is_living` is False when no runner
    offers it now, and everything here is as it was last seen.
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


def offers_of(living: Iterable[RunnerHeartbeat]) -> dict[PluginName, Offer]:
    """Sum up what living runners say of their plugins."""
    found: dict[PluginName, Offer] = {}
    for runner in living:
        kinds = frozenset(device.kind for device in runner.devices)
        for plugin in runner.plugins:
            name = PluginName(plugin.name)
            seen = _offer(name, plugin, kinds)
            known = found.get(name)
            found[name] = seen if known is None else _better(known, seen)
    return found


def _offer(name: PluginName, plugin: PluginOnRunner, kinds: frozenset[str]) -> Offer:
    if not plugin.state.is_broken:
        return Offer(name, plugin.state, plugin.reason, plugin.manifest, kinds)
    said = f"{plugin.state.value}: {plugin.reason or 'its runner gave no reason'}"
    return Offer(name, plugin.state, plugin.reason, plugin.manifest, frozenset(), dict.fromkeys(kinds, said))


def _better(one: Offer, other: Offer) -> Offer:
    best, worse = sorted((one, other), key=lambda offer: offer.state.rank)
    return replace(
        best,
        manifest=best.manifest or worse.manifest,
        devices=one.devices | other.devices,
        refusals={**worse.refusals, **best.refusals},
    )


class Catalog:
    """The plugins known to this process: those of living runners, and behind them the last that was seen."""

    def __init__(self, living: Callable[[], Mapping[str, RunnerHeartbeat]]) -> None:
        self._living = living
        self._known: dict[PluginName, Offer] = {}

    def lives(self, runner_id: str) -> bool:
        """Whether this runner was heard of within its time."""
        return runner_id in self._living()

    def observe(self) -> dict[PluginName, Offer]:
        """Read the living runners, remember what they offer, and give it."""
        current = offers_of(self._living().values())
        self._known |= current
        return current

    def get(self, name: str) -> Offer | None:
        """The plugin as it stands now or, when no runner offers it now, as it was last seen."""
        living = self.observe()
        known = self._known.get(PluginName(name))
        return known if known is None or name in living else replace(known, is_living=False)

    def names(self) -> list[str]:
        """Every plugin known, in name order."""
        self.observe()
        return sorted(self._known)

    def usable_count(self) -> int:
        """How many plugins some living runner can run."""
        return sum(not offer.is_broken for offer in self.observe().values())

    def require(self, name: str | None) -> Offer:
        """Find a plugin that can take a job.

        Raises:
            ForgeSyteError: PLUGIN_UNKNOWN when the name is missing or nobody ever offered it; PLUGIN_UNAVAILABLE with
                the plugin's reason when no runner can run it.
        """
        known = ", ".join(self.names()) or "none, because no runner has reported yet"
        if not name:
            raise ForgeSyteError(Code.PLUGIN_UNKNOWN, f"plugin_id is missing; known plugins: {known}")
        offer = self.get(name)
        if offer is None:
            raise ForgeSyteError(
                Code.PLUGIN_UNKNOWN, f"there is no plugin {name[:80]!r}; known plugins: {known}", plugin=name[:80]
            )
        if offer.is_broken or offer.manifest is None:
            reason = offer.reason or "its runners gave no reason; look at their log"
            raise ForgeSyteError(
                Code.PLUGIN_UNAVAILABLE, f"plugin {name} is {offer.state.value}: {reason}", plugin=name
            )
        return offer

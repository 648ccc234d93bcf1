"""Which plugins, tools and devices exist, as the runners' heartbeats tell it.

A plugin whose runners are all gone for the moment (restarted, scaled to zero) is remembered, so that its jobs are
accepted and wait. Nothing here imports or runs a plugin.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.plugins import PluginManifest, PluginOnRunner, PluginState, RunnerHeartbeat
from forgesyte_contracts.problems import Code, ForgeSyteError

_BEST_FIRST = (
    PluginState.RUNNING,
    PluginState.INITIALIZED,
    PluginState.LOADED,
    PluginState.FAILED,
    PluginState.UNAVAILABLE,
)
_BROKEN = frozenset({PluginState.FAILED, PluginState.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin as all runners together offer it.

    `state` is the best among them, `reason` belongs to it; `devices` are the kinds (cpu, gpu) on which it can run.
    """

    name: PluginName
    state: PluginState
    reason: str | None
    manifest: PluginManifest | None
    devices: frozenset[str]

    @property
    def is_broken(self) -> bool:
        """Whether no runner can run it."""
        return self.state in _BROKEN


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
    devices = frozenset() if plugin.state in _BROKEN else kinds
    return Offer(name, plugin.state, plugin.reason, plugin.manifest, devices)


def _better(one: Offer, other: Offer) -> Offer:
    best, worse = sorted((one, other), key=lambda offer: _BEST_FIRST.index(offer.state))
    return replace(best, manifest=best.manifest or worse.manifest, devices=one.devices | other.devices)


class Catalog:
    """The plugins known to this process: those of living runners, and behind them the last that was seen."""

    def __init__(self, living: Callable[[], Mapping[str, RunnerHeartbeat]]) -> None:
        self._living = living
        self._known: dict[PluginName, Offer] = {}

    def observe(self) -> dict[PluginName, Offer]:
        """Read the living runners, remember what they offer, and give it."""
        current = offers_of(self._living().values())
        self._known |= current
        return current

    def get(self, name: str) -> Offer | None:
        """The plugin as it stands now or, when no runner offers it now, as it was last seen."""
        self.observe()
        return self._known.get(PluginName(name))

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


def device_for(offer: Offer, requested: str) -> str:
    """Choose the kind of device a job goes to: `cpu` or `gpu`.

    Raises:
        ForgeSyteError: PLUGIN_UNAVAILABLE when the one asked for does not exist for this plugin.
    """
    needs_gpu = offer.manifest is not None and offer.manifest.requires.gpu
    possible = offer.devices & {"gpu"} if needs_gpu else offer.devices
    if requested != "auto":
        if requested in possible:
            return requested
        found = ", ".join(sorted(possible)) or "no device at all"
        raise ForgeSyteError(
            Code.PLUGIN_UNAVAILABLE,
            f"device {requested} was asked for, but plugin {offer.name} can run on {found}; use one of these or auto",
            plugin=offer.name,
        )
    if needs_gpu:
        return "gpu"
    return "cpu" if "cpu" in possible or not possible else min(possible)

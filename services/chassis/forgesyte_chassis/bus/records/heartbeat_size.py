"""Makes a runner's heartbeat fit into one message of the bus, whatever its plugins report.

A heartbeat that the bus refuses looks like the silence of a dead runner, and all its plugins disappear with it. What
matters least is left out first: long reasons, then the manifests of broken plugins, then the largest manifests.
"""

from dataclasses import dataclass

from forgesyte_contracts.plugins import PluginOnRunner
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import MAX_BUS_BYTES

SHORT_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class FittedHeartbeat:
    """A heartbeat that fits.

    Attributes:
        heartbeat: the very one that was passed in if it fits as it is.
        data: the heartbeat as JSON.
        left_out: usable plugins whose manifests had to be left out.
    """

    heartbeat: RunnerHeartbeat
    data: bytes
    left_out: frozenset[str] = frozenset()


def fitted(heartbeat: RunnerHeartbeat, max_bytes: int = MAX_BUS_BYTES) -> FittedHeartbeat:
    """Leave out what matters least until the heartbeat fits."""
    data = _json(heartbeat)
    for shorten in (_short_reason, _without_broken_manifest):
        if len(data) <= max_bytes:
            break
        heartbeat = _with_plugins(heartbeat, [shorten(plugin) for plugin in heartbeat.plugins])
        data = _json(heartbeat)
    left_out: set[str] = set()
    for largest in sorted(heartbeat.plugins, key=_manifest_bytes, reverse=True):
        if len(data) <= max_bytes:
            break
        left_out.add(largest.name)
        plugins = [_without_manifest(one) if one.name in left_out else one for one in heartbeat.plugins]
        heartbeat = _with_plugins(heartbeat, plugins)
        data = _json(heartbeat)
    return FittedHeartbeat(heartbeat, data, frozenset(left_out))


def _short_reason(plugin: PluginOnRunner) -> PluginOnRunner:
    reason = plugin.reason
    if reason is None or len(reason) <= SHORT_REASON_CHARS:
        return plugin
    return plugin.model_copy(update={"reason": f"{reason[: SHORT_REASON_CHARS - 1]}…"})


def _without_broken_manifest(plugin: PluginOnRunner) -> PluginOnRunner:
    return plugin if plugin.state.is_ready else _without_manifest(plugin)


def _without_manifest(plugin: PluginOnRunner) -> PluginOnRunner:
    return plugin.model_copy(update={"manifest": None})


def _with_plugins(heartbeat: RunnerHeartbeat, plugins: list[PluginOnRunner]) -> RunnerHeartbeat:
    return heartbeat.model_copy(update={"plugins": tuple(plugins)})


def _manifest_bytes(plugin: PluginOnRunner) -> int:
    return len(plugin.manifest.model_dump_json()) if plugin.manifest is not None else 0


def _json(heartbeat: RunnerHeartbeat) -> bytes:
    return heartbeat.model_dump_json().encode()

"""Makes a heartbeat fit into one message of the bus, whatever a hundred broken plugins have to say.

A heartbeat that is refused would be the silence of a dead runner: all its plugins would be gone with it.
"""

from forgesyte_contracts.plugins import PluginOnRunner
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_contracts.streams import MAX_BUS_BYTES

SHORT_REASON_CHARS = 300


def fitted(beat: RunnerHeartbeat, max_bytes: int = MAX_BUS_BYTES) -> RunnerHeartbeat:
    """Leave out what matters least until it fits: long reasons, then what broken plugins could do."""
    for shorten in (_short_reason, _without_manifest):
        if len(beat.model_dump_json().encode()) <= max_bytes:
            break
        beat = beat.model_copy(update={"plugins": tuple(shorten(plugin) for plugin in beat.plugins)})
    return beat


def _short_reason(plugin: PluginOnRunner) -> PluginOnRunner:
    reason = plugin.reason
    if reason is None or len(reason) <= SHORT_REASON_CHARS:
        return plugin
    return plugin.model_copy(update={"reason": f"{reason[: SHORT_REASON_CHARS - 1]}…"})


def _without_manifest(plugin: PluginOnRunner) -> PluginOnRunner:
    return plugin if plugin.state.is_ready else plugin.model_copy(update={"manifest": None})

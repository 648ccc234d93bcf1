"""Decides when the stack is ready: the runner lives, its plugins are checked, and HTTP answers and knows them.

A plugin that hangs while it loads must not block the others: after a while the stack is ready without it, with a
warning in the log.
"""

import asyncio

import httpx
import structlog

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.runners import RunnerHeartbeat
from forgesyte_plugin_runner.settings import RunnerSettings
from forgesyte_sandbox.parent.installed_plugins import find_plugins

from .supervisor import Supervised

READY_LIMIT_S = 60.0
"""How long the runner may take until its first heartbeat, and HTTP until it answers."""

PLUGINS_LIMIT_S = 150.0
"""How long a plugin may take to load before the stack is ready without it; longer than the limit of one load."""

_POLL_EVERY_S = 0.05

log = structlog.get_logger(__name__)


async def wait_ready(bus: Bus, runner: Supervised, url: str) -> None:
    """Wait for this runner's heartbeat (that of a dead one may still be recorded), and for HTTP to know its plugins.

    Args:
        bus: connected, with its buckets.
        runner: the supervised runner.
        url: the public address.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when the runner ended, or was not ready in time.
    """
    expected = {plugin.name for plugin in find_plugins(RunnerSettings().plugins)}
    clock = asyncio.get_running_loop().time
    started_s = clock()
    async with bus.runners.watch() as view, httpx.AsyncClient(trust_env=False) as http:
        while True:
            runner.require_first_life()
            waited_s = clock() - started_s
            beat = next((beat for beat in view.living().values() if beat.pid == runner.pid), None)
            missing = expected - checked_plugins(beat) if beat else expected
            if (
                beat
                and (not missing or waited_s > PLUGINS_LIMIT_S)
                and await _answers(http, url, plugins=_usable(beat))
            ):
                break
            if waited_s > (PLUGINS_LIMIT_S if beat else 0) + READY_LIMIT_S:
                text = f"the runner was not ready within {waited_s:.0f} s; see {runner.spec.log_file}."
                raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text)
            await asyncio.sleep(_POLL_EVERY_S)
    if missing:
        log.warning("plugins still loading", plugins=sorted(missing))


def checked_plugins(beat: RunnerHeartbeat) -> set[str]:
    """Return the plugins whose state the runner knows; one that is LOADED is still being checked."""
    return {plugin.name for plugin in beat.plugins if plugin.state is not PluginState.LOADED}


def _usable(beat: RunnerHeartbeat) -> int:
    return sum(plugin.state.is_ready for plugin in beat.plugins)


async def _answers(http: httpx.AsyncClient, url: str, *, plugins: int) -> bool:
    try:
        answer = await http.get(f"{url}/health")
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json().get("plugins_loaded", 0) >= plugins

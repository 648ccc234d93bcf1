"""When `ready` may be said: a runner lives, its plugins are read, and HTTP answers and knows them.

A plugin that hangs while it loads must not keep the others from being offered: after a while they are, with a warning.
"""

import asyncio
import time

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
"""How long the runner may take to show its first heartbeat, and HTTP to answer."""

PLUGINS_LIMIT_S = 150.0
"""How long a plugin may take to load before the others are offered without it; longer than one load's limit."""

_LOOK_AGAIN_S = 0.05

log = structlog.get_logger(__name__)


async def wait_ready(bus: Bus, runner: Supervised, url: str) -> None:
    """Wait for this very runner's heartbeat (a dead one's may still stand there), then for HTTP to know its plugins.

    Args:
        bus: connected, with its buckets.
        runner: the supervised runner.
        url: the public address.

    Raises:
        ForgeSyteError: SERVICE_UNAVAILABLE when the runner ended, or was not there in time.
    """
    expected = {plugin.name for plugin in find_plugins(RunnerSettings().plugins)}
    started_s = time.monotonic()
    async with bus.runners.watch() as view, httpx.AsyncClient(trust_env=False) as http:
        while True:
            runner.require_first_life()
            waited_s = time.monotonic() - started_s
            beat = next((beat for beat in view.living().values() if beat.pid == runner.pid), None)
            missing = expected - read_plugins(beat) if beat else expected
            if (
                beat
                and (not missing or waited_s > PLUGINS_LIMIT_S)
                and await _answers(http, url, plugins=_usable(beat))
            ):
                break
            if waited_s > (PLUGINS_LIMIT_S if beat else 0) + READY_LIMIT_S:
                text = f"the runner was not ready within {waited_s:.0f} s; see {runner.spec.log_file}."
                raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, text)
            await asyncio.sleep(_LOOK_AGAIN_S)
    if missing:
        log.warning("plugins still loading", plugins=sorted(missing))


def read_plugins(beat: RunnerHeartbeat) -> set[str]:
    """Give the plugins of which the runner knows how they are; one that is LOADED is still being looked at."""
    return {plugin.name for plugin in beat.plugins if plugin.state is not PluginState.LOADED}


def _usable(beat: RunnerHeartbeat) -> int:
    return sum(plugin.state.is_ready for plugin in beat.plugins)


async def _answers(http: httpx.AsyncClient, url: str, *, plugins: int) -> bool:
    try:
        answer = await http.get(f"{url}/health")
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json().get("plugins_loaded", 0) >= plugins

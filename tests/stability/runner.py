"""A real plugin-runner on a real bus that offers chosen plugins, and what its heartbeat says of them."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from forgesyte_chassis.bus import Bus
from forgesyte_contracts.plugins import PluginOnRunner, PluginState
from forgesyte_contracts.runners import RunnerHeartbeat
from tests.stability.workbench import PLUGINS
from tests.support import Forked, eventually, nats_server, start_forked

START_LIMIT_S = 120
READY = (PluginState.INITIALIZED, PluginState.RUNNING)


class WatchedRunner:
    """A runner process and its bus."""

    def __init__(self, process: Forked, bus: Bus, log: Path) -> None:
        self.process, self.bus, self.log = process, bus, log

    async def heartbeat(self, plugins: int) -> RunnerHeartbeat:
        """The first heartbeat that knows at least so many plugins."""

        async def complete() -> RunnerHeartbeat | None:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            async with self.bus.runners.watch() as view:
                return next((beat for beat in view.living().values() if len(beat.plugins) >= plugins), None)

        return await eventually(complete, START_LIMIT_S, "every plugin has a state")


@asynccontextmanager
async def running_runner(folder: Path, plugins: list[str], **settings: object) -> AsyncIterator[WatchedRunner]:
    """Run a runner that offers `plugins`; settings are its own (FORGESYTE_RUNNER_...)."""
    async with nats_server() as nats, Bus.connect(nats.url, name="stability") as bus:
        await bus.ensure()
        told = {"bus_url": nats.url, "store_url": folder / "store", "scratch_dir": folder / "scratch", "slots": 1}
        told |= {"ops_port": -1, "plugins": ",".join(plugins), "log_format": "json", **settings}
        path = os.pathsep.join(filter(None, (str(PLUGINS), os.environ.get("PYTHONPATH"))))
        env = {**os.environ, "PYTHONPATH": path}
        env |= {f"FORGESYTE_RUNNER_{name.upper()}": str(value) for name, value in told.items()}
        log = folder / "runner.log"
        with log.open("wb") as out:
            process = start_forked("forgesyte_plugin_runner", env=env, output=out)
        try:
            yield WatchedRunner(process, bus, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def by_name(beat: RunnerHeartbeat) -> dict[str, PluginOnRunner]:
    """The plugins of a heartbeat by name."""
    return {plugin.name: plugin for plugin in beat.plugins}


def available(beat: RunnerHeartbeat) -> list[str]:
    """The plugins that the runner takes jobs for."""
    return [plugin.name for plugin in beat.plugins if plugin.state in READY]

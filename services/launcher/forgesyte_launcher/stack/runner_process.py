"""The plugin-runner as a child of the one-box run: its command, and its settings as environment variables.

The names of the variables come from the runner's settings model, so a setting that is renamed there is an error here
and not a variable that no process reads.
"""

import os
import sys
from dataclasses import dataclass

from forgesyte_chassis.settings import env_name, env_of
from forgesyte_plugin_runner.settings import RunnerSettings

from .data_folder import DataFolder
from .nats import BusAddress
from .process import ProcessSpec

RUNNER_MARGIN_S = 10.0
"""How long the runner may take beyond its own drain limit before it is killed."""


@dataclass(frozen=True, slots=True)
class RunnerWall:
    """What the operator said on the command line about the wall around plugin code.

    Attributes:
        permitted: plugins that may have what their manifests ask for; empty leaves it to the runner's settings.
        allows_degraded: whether the runner may start without a required part of the wall; False leaves it to them too.
    """

    permitted: tuple[str, ...] = ()
    allows_degraded: bool = False

    def env(self, folder: DataFolder) -> dict[str, str]:
        """Return the runner's variables; no sandbox may read anything of the data folder."""
        asked: dict[str, str | float] = {"private_dirs": str(folder.root)}
        if self.permitted:
            asked["permitted_plugins"] = ",".join(self.permitted)
        if self.allows_degraded:
            asked["allow_degraded_sandbox"] = "true"
        return env_of(RunnerSettings, **asked)


NO_WISHES = RunnerWall()
"""Everything is left to the runner's own settings."""


def runner_process(
    folder: DataFolder,
    address: BusAddress,
    *,
    drain_s: float,
    slots: int | None = None,
    wall: RunnerWall = NO_WISHES,
) -> ProcessSpec:
    """Describe the runner's process.

    Args:
        folder: where its log, its scratch files and the store are.
        address: the bus.
        drain_s: how long running jobs may go on after a stop, in seconds.
        slots: how many jobs run at once; None leaves it to the runner's own settings.
        wall: what is said about the wall around plugin code.
    """
    log_format = env_name(RunnerSettings, "log_format")
    env = {log_format: os.environ.get(log_format, "console")} | env_of(
        RunnerSettings,
        bus_url=address.url,
        bus_token=address.token,
        store_url=str(folder.store),
        scratch_dir=str(folder.scratch),
        bus_dir=str(folder.nats),
        drain_s=drain_s,
    )
    env |= wall.env(folder)
    if slots is not None:
        env |= env_of(RunnerSettings, slots=slots)
    return ProcessSpec(
        name="plugin-runner",
        # -P: a folder in the user's working directory must not be imported in place of one of our modules.
        command=(sys.executable, "-P", "-m", "forgesyte_plugin_runner"),
        log_file=folder.logs / "plugin-runner.log",
        env=env,
        grace_s=drain_s + RUNNER_MARGIN_S,
    )

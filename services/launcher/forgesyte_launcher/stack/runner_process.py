"""The plugin-runner as a child of the one-box run: its command, and its settings as environment variables.

The names of the variables come from the runner's settings model, so a setting that is renamed there is an error here
and not a variable that no process reads.
"""

import os
import sys

from forgesyte_chassis.settings import env_name, env_of
from forgesyte_plugin_runner.settings import RunnerSettings

from .data_folder import DataFolder
from .nats import BusAddress
from .process import ProcessSpec

RUNNER_MARGIN_S = 10.0
"""How long the runner may take beyond its own drain limit before it is killed."""


def runner_process(folder: DataFolder, address: BusAddress, *, drain_s: float, slots: int | None = None) -> ProcessSpec:
    """Describe the runner's process.

    Args:
        folder: where its log, its scratch files and the store are.
        address: the bus.
        drain_s: how long running jobs may go on after a stop, in seconds.
        slots: how many jobs run at once; None leaves it to the runner's own settings.
    """
    log_format = env_name(RunnerSettings, "log_format")
    env = {log_format: os.environ.get(log_format, "console")} | env_of(
        RunnerSettings,
        bus_url=address.url,
        bus_token=address.token,
        store_url=str(folder.store),
        scratch_dir=str(folder.scratch),
        drain_s=drain_s,
    )
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

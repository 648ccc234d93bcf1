"""`forgesyte up`: everything on one machine until Ctrl-C."""

from forgesyte_chassis.main import Lifetime
from forgesyte_launcher.interruption import Interrupted
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.stack.runner_process import RUNNER_MARGIN_S
from forgesyte_launcher.stack.stack import StackOptions, running_stack
from forgesyte_launcher.terminal.output import say, warn

from .command_runs import ExitCode, run_command

STOP_MARGIN_S = RUNNER_MARGIN_S + 20.0
"""How long stopping may take beyond the runner's drain limit: the runner's margin, open requests, nats-server."""


def up(options: StackOptions, settings: LauncherSettings) -> ExitCode:
    """Run everything until the first signal; print `ready http://HOST:PORT` when jobs can be submitted."""

    async def main(lifetime: Lifetime) -> ExitCode:
        try:
            async with running_stack(options, lifetime, settings) as url:
                say(f"ready {url}")
                warn(f"data is kept in {options.data_dir.expanduser().absolute()}; press Ctrl-C to stop")
                await lifetime.stopping.wait()
        except Interrupted:
            return ExitCode.OK
        return ExitCode.OK

    return run_command(main, name="launcher", settings=with_stop_margin(settings))


def with_stop_margin(settings: LauncherSettings) -> LauncherSettings:
    """Return the settings of the main loop, whose `drain_s` covers the runner's and what stops after the runner."""
    return settings.model_copy(update={"drain_s": settings.drain_s + STOP_MARGIN_S})

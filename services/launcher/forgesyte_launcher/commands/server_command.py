"""Runs a command against a running server: opens the client, runs the command, and returns the exit code.

Ctrl-C ends the command at once, also while a server that has stopped answering is waited for.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.main import Lifetime
from forgesyte_launcher.client.client import ApiClient, open_client
from forgesyte_launcher.interruption import Interrupted, unless_stopped
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import warn

from .command_runs import ExitCode, run_command


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address and the key to present."""

    address: str
    api_key: str | None = None


def ask_server(
    server: Server,
    settings: LauncherSettings,
    ask: Callable[[ApiClient], Awaitable[ExitCode]],
    *,
    name: str,
    when_stopped: str = "",
) -> ExitCode:
    """Run `ask` with a client of the server.

    Args:
        server: the server.
        settings: log and drain.
        ask: the command; cancelled by Ctrl-C.
        name: the command's name in the log.
        when_stopped: what to tell the user after Ctrl-C.
    """

    async def main(lifetime: Lifetime) -> ExitCode:
        async with open_client(server.address, api_key=server.api_key) as client:
            try:
                return await unless_stopped(lifetime.stopping, ask(client))
            except Interrupted:
                if when_stopped:
                    warn(when_stopped)
                return ExitCode.INTERRUPTED

    return run_command(main, name=name, settings=settings)

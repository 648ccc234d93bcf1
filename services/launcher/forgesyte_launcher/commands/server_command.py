"""Runs a command against a running server: opens the client, runs the command, and returns the exit code."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.main import Lifetime
from forgesyte_launcher.client.client import ApiClient, open_client
from forgesyte_launcher.settings import LauncherSettings

from .command_runs import ExitCode, run_command


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address and the key to present."""

    address: str
    api_key: str | None = None


def ask_server(
    server: Server, settings: LauncherSettings, ask: Callable[[ApiClient, Lifetime], Awaitable[ExitCode]], *, name: str
) -> ExitCode:
    """Run `ask` with a client of the server; `name` is the command's name in the log."""

    async def main(lifetime: Lifetime) -> ExitCode:
        async with open_client(server.address, api_key=server.api_key) as client:
            return await ask(client, lifetime)

    return run_command(main, name=name, settings=settings)

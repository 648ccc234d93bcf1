"""Runs a command to its exit code: the one border where an error becomes a sentence on stderr and a number."""

from collections.abc import Awaitable, Callable
from enum import IntEnum

from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import warn


class ExitCode(IntEnum):
    """The command's exit codes."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


USAGE_CODES = frozenset(
    {Code.PLUGIN_UNKNOWN, Code.TOOL_UNKNOWN, Code.OPTIONS_INVALID, Code.REQUEST_INVALID, Code.JOB_UNKNOWN}
)
"""Errors of the call itself: it names something that does not exist or is malformed, so the same call fails again."""


def run_command(main: Callable[[Lifetime], Awaitable[ExitCode]], *, name: str, settings: LauncherSettings) -> ExitCode:
    """Run an asynchronous command under the chassis's main loop and show its errors.

    Args:
        main: takes the Lifetime, whose `stopping` is set by Ctrl-C, and returns the exit code.
        name: the command's name in the log.
        settings: log and drain.
    """
    ending: list[ExitCode] = []

    async def guarded(lifetime: Lifetime) -> None:
        try:
            ending.append(await main(lifetime))
        except* ForgeSyteError as errors:
            ending.append(show_error(errors))

    status = run_service(guarded, name=name, settings=settings)
    return ending[0] if ending and not status else ExitCode.FAILED


def show_error(error: ForgeSyteError | BaseExceptionGroup[ForgeSyteError]) -> ExitCode:
    """Print the error's sentence (the first one of a group) and return the exit code that fits."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    warn(f"error: {error.detail}")
    return ExitCode.USAGE if error.code in USAGE_CODES else ExitCode.FAILED

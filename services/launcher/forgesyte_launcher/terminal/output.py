"""What the command says to its user, and the one border where an error becomes a sentence and an exit code.

Answers go to stdout, everything about the way there (progress, errors) to stderr, so that stdout can be piped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forgesyte_chassis.main import Lifetime, run_service
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.settings import LauncherSettings

_NO_EDGE = 4096


class ExitCode(IntEnum):
    """The command's exit codes."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


USAGE_CODES = frozenset(
    {Code.PLUGIN_UNKNOWN, Code.TOOL_UNKNOWN, Code.OPTIONS_INVALID, Code.REQUEST_INVALID, Code.JOB_UNKNOWN}
)
"""What the user asked for does not exist or can not be understood: asking again in the same way is no use."""


def stdout() -> Console:
    """The console for answers. Made at each call: tests and pipes swap the stream underneath."""
    return Console(soft_wrap=True)


def stderr() -> Console:
    """The console for progress and errors."""
    return Console(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print one plain line of an answer."""
    stdout().print(text, markup=False, highlight=False)


def warn(text: str) -> None:
    """Print one plain line to stderr."""
    stderr().print(text, markup=False, highlight=False)


def table(*columns: str, rows: Sequence[tuple[str, ...]], title: str | None = None) -> None:
    """Print a table; without column names it is one of facts, with a frame.

    Args:
        columns: the heads.
        rows: one text a column; nothing in it is taken for markup.
        title: a line above.
    """
    look: dict[str, Any] = {"box": None, "pad_edge": False} if columns else {"show_header": False}
    drawn = Table(*columns, title=Text(title) if title else None, title_justify="left", header_style="bold", **look)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = stdout()
    if not console.is_terminal:
        # A file or a pipe has no edge: nothing is cut or wrapped there.
        console.width = _NO_EDGE
    console.print(drawn)


def run_command(main: Callable[[Lifetime], Awaitable[ExitCode]], *, name: str, settings: LauncherSettings) -> ExitCode:
    """Run an asynchronous command under the chassis's main loop and show its errors.

    Args:
        main: gets the Lifetime, whose `stopping` is set by Ctrl-C; gives the exit code.
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
    """Print the error's sentence (the first one of a group) and give the exit code that fits."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    warn(f"error: {error.detail}")
    return ExitCode.USAGE if error.code in USAGE_CODES else ExitCode.FAILED


async def unless_stopped[T](stopping: asyncio.Event, work: Awaitable[T]) -> T:
    """Wait for `work`, but cancel it when `stopping` is set.

    Raises:
        Interrupted: `stopping` was set first.
    """
    async with asyncio.TaskGroup() as group:
        working = group.create_task(_as_coroutine(work))
        told = group.create_task(stopping.wait())
        await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        working.cancel()
    if working.cancelled():
        raise Interrupted
    return working.result()


async def _as_coroutine[T](work: Awaitable[T]) -> T:
    return await work


class Interrupted(Exception):
    """The user pressed Ctrl-C."""

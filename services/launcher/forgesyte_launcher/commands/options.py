"""What several commands of the command line share: options, settings, and how a command ends."""

from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from forgesyte_launcher.settings import LauncherSettings

DEFAULT_SERVER = "http://127.0.0.1:8000"
HELP: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": "markdown", "pretty_exceptions_enable": False}

ServerOption = Annotated[
    str, typer.Option(envvar="FORGESYTE_SERVER", metavar="URL", help="The server to ask, as `forgesyte up` printed it.")
]
KeyOption = Annotated[
    str | None, typer.Option(envvar="FORGESYTE_API_KEY", metavar="KEY", help="The server's API key, if it wants one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SlotsOption = Annotated[
    int | None, typer.Option(min=1, max=1024, metavar="N", help="How many jobs run at once.", show_default="cores")
]
NoAnnotatedOption = Annotated[bool, typer.Option("--no-annotated", help="Do not draw annotated.mp4.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def load_settings(*, is_verbose: bool = False) -> LauncherSettings:
    """Read the launcher's settings.

    Raises:
        typer.BadParameter: the environment holds one that can not be read.
    """
    try:
        return LauncherSettings(log_level="INFO") if is_verbose else LauncherSettings()
    except ValidationError as error:
        raise typer.BadParameter(f"in the environment (FORGESYTE_LAUNCHER_*): {error}") from error


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(int(code))

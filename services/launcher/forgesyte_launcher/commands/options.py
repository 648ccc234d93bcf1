"""What several commands share: options, settings, and the end of a command."""

from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from forgesyte_launcher.settings import LauncherSettings

DEFAULT_SERVER = "http://127.0.0.1:8000"
HELP: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": "markdown", "pretty_exceptions_enable": False}

ServerOption = Annotated[
    str,
    typer.Option(envvar="FORGESYTE_SERVER", metavar="URL", help="The server's address, as `forgesyte up` prints it."),
]
KeyOption = Annotated[
    str | None, typer.Option(envvar="FORGESYTE_API_KEY", metavar="KEY", help="The API key, if the server asks for one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SlotsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, metavar="N", help="How many jobs run at once.", show_default="number of cores"),
]
NoAnnotatedOption = Annotated[bool, typer.Option("--no-annotated", help="Do not write annotated.mp4.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def load_settings(*, is_verbose: bool = False) -> LauncherSettings:
    """Read the launcher's settings.

    Raises:
        typer.BadParameter: a setting in the environment is invalid.
    """
    try:
        return LauncherSettings(log_level="INFO") if is_verbose else LauncherSettings()
    except ValidationError as error:
        raise typer.BadParameter(f"in the environment (FORGESYTE_LAUNCHER_*): {error}") from error


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(int(code))

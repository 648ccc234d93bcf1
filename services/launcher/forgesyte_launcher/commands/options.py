"""What several commands share: options, settings, and the end of a command."""

from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from forgesyte_chassis.settings import settings_with
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
DegradedOption = Annotated[
    bool,
    typer.Option(
        "--allow-degraded-sandbox",
        help="Start although this machine lacks a required part of the wall around plugin code: a plugin may then "
        "reach the service, its data and other jobs. Only where you trust every plugin; `forgesyte doctor` shows what "
        "is missing.",
    ),
]
PermitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--permit",
        metavar="NAME",
        help="A plugin that may have the permissions in its manifest (paths to read, devices); repeat the option for "
        "several plugins. `forgesyte plugins list` names what a plugin asks for.",
        show_default="none",
    ),
]
NoAnnotatedOption = Annotated[bool, typer.Option("--no-annotated", help="Do not write annotated.mp4.")]
VideoStreamOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="INDEX",
        help="The stream of the video to analyse, by the index that ffprobe prints.",
        show_default="the default or largest one",
    ),
]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def load_settings(*, is_verbose: bool = False, allows_degraded: bool = False) -> LauncherSettings:
    """Read the launcher's settings; what is True here replaces what the environment says.

    Raises:
        typer.BadParameter: a setting in the environment is invalid.
    """
    try:
        verbose = {"log_level": "INFO"} if is_verbose else {}
        degraded = {"allow_degraded_sandbox": True} if allows_degraded else {}
        return settings_with(LauncherSettings, **verbose, **degraded)
    except ValidationError as error:
        raise typer.BadParameter(f"in the environment (FORGESYTE_LAUNCHER_*): {error}") from error


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(int(code))

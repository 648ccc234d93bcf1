"""The command line: names, options and help of every command; what a command does stands in its own module.

Those modules are imported when their command runs, so that `--help` and a mistyped option answer at once.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher import __version__

from .cli_jobs import jobs_app
from .cli_plugins import plugins_app
from .command_runs import show_error
from .options import HELP, JsonOption, KeyOption, NoAnnotatedOption, SlotsOption, leave, load_settings

app = typer.Typer(
    name="forgesyte",
    help="Run vision plugins over videos and images, each job in a sandbox that can be killed.",
    epilog="First steps: forgesyte doctor, then forgesyte demo, then forgesyte up.",
    add_completion=False,
    **HELP,
)
app.add_typer(jobs_app, name="jobs", epilog="Example: forgesyte jobs list --limit 20")
app.add_typer(plugins_app, name="plugins", epilog="Example: forgesyte plugins list --json")


def main() -> None:
    """Run the command line; this is the console script `forgesyte`."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forgesyte {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Run vision plugins over videos and images, each job in a sandbox that can be killed."""


@app.command(epilog="Example: forgesyte up --port 8080 --data-dir /var/lib/forgesyte --slots 2")
def up(
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where to listen. Anything but loopback needs keys in FORGESYTE_JOB_API_API_KEYS."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0 takes any free one.")] = 8000,
    data_dir: Annotated[
        Path, typer.Option(file_okay=False, metavar="DIR", help="Where jobs, media, results and logs are kept.")
    ] = Path("./forgesyte-data"),
    slots: SlotsOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what happens, and the children's logs.")
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C.

    Prints `ready http://HOST:PORT` when jobs can be submitted. Ctrl-C lets running jobs end for a while, stops in
    order and exits with 0; what did not end goes on at the next start with the same data folder.
    """
    from forgesyte_launcher.stack.stack import StackOptions

    from .up import up as run_up

    options = StackOptions(data_dir, host, port, slots, has_ops_port=True, shows_logs=verbose)
    leave(run_up(options, load_settings(is_verbose=verbose)))


@app.command(epilog="Example: forgesyte run cars.mp4 --plugin motion-detector --tool detect-motion")
def run(  # noqa: PLR0913 - each is an option of the command line
    *,
    media: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE", help="A video or an image."),
    ],
    plugin: Annotated[str, typer.Option(metavar="NAME", help="The plugin; `forgesyte plugins list` shows them.")],
    tool: Annotated[list[str], typer.Option(metavar="NAME", help="A tool of the plugin; may be given several times.")],
    options: Annotated[
        str, typer.Option(metavar="JSON", help="The tool's options; for several tools {tool: options}.")
    ] = "{}",
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="DIR", help="Where to write.", show_default="./forgesyte-out/<name>"),
    ] = None,
    no_annotated: NoAnnotatedOption = False,
    server: Annotated[
        str | None,
        typer.Option(envvar="FORGESYTE_SERVER", metavar="URL", help="A running server.", show_default="one of its own"),
    ] = None,
    api_key: KeyOption = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="DIR", help="Data folder of its own server.", show_default="temporary"),
    ] = None,
    slots: SlotsOption = None,
) -> None:
    """Analyse one video or image: submit it, show the progress, write the results, print a summary.

    The results are result.json (everything), rows.jsonl (one line a frame) and, of a video, annotated.mp4 with what
    was found drawn into it. Images are PNG, JPEG, WebP and TIFF. Several --tool run over one decode.

    Without --server everything is started for the moment and stopped again. Exits with 0 only when the job completed,
    with 1 when it failed, 2 when the call was wrong, 130 after Ctrl-C.
    """
    from forgesyte_launcher.client.client import SubmitRequest

    from .installed_plugins import require_installed
    from .run import RunOptions
    from .run import run as run_run

    if server is None:
        try:
            require_installed(plugin)
        except ForgeSyteError as error:
            leave(show_error(error))
    job = SubmitRequest(media, plugin, tuple(tool), _json_object(options))
    where = out or Path("forgesyte-out") / media.stem
    leave(run_run(RunOptions(job, where, server, api_key, data_dir, slots, not no_annotated), load_settings()))


@app.command(epilog="Example: forgesyte doctor --data-dir /var/lib/forgesyte")
def doctor(
    *,
    data_dir: Annotated[Path, typer.Option(file_okay=False, metavar="DIR", help="The data folder to look at.")] = Path(
        "./forgesyte-data"
    ),
    as_json: JsonOption = False,
) -> None:
    """Look whether everything ForgeSyte needs works here: versions, bus, sandbox, limits, data folder."""
    from .doctor import run_doctor

    leave(run_doctor(load_settings(), data_dir, as_json=as_json))


@app.command(epilog="Example: forgesyte demo --video cars.mp4")
def demo(
    *,
    video: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Your video.", show_default="a made one"),
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, metavar="DIR", help="Where to write.")] = Path("./demo-out"),
) -> None:
    """Find what moves in a video, the whole way: HTTP, queue, sandboxed plugin, store, results.

    Without a video it draws one of its own and compares what was found with the truth. Writes result.json, rows.jsonl
    and annotated.mp4, in which the boxes can be seen.
    """
    from .demo import run_demo

    leave(run_demo(load_settings(), out, video))


@app.command(epilog="Example: forgesyte openapi > openapi.json")
def openapi(
    *,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Print the JSON Schemas of the realtime messages instead.")
    ] = False,
) -> None:
    """Print the API as an OpenAPI document; no server has to run.

    It is the document that a server of this version answers at GET /openapi.json, for generating clients and types.
    With --realtime: one JSON Schema per message of GET /v1/realtime, under server_messages and client_messages.
    """
    from .openapi import print_openapi, print_realtime

    leave(print_realtime() if realtime else print_openapi())


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(
            f"--options is not JSON ({error}); expected for example '{{\"min_area\": 200}}'"
        ) from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"--options must be a JSON object, found {type(found).__name__}")
    return found

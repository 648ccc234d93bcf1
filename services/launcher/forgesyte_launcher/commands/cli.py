"""The command line: names, options and help of every command.

What a command does is in a module of its own, imported when the command runs, so that `--help` and a mistyped option
are answered at once.
"""

import io
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from forgesyte_contracts.jobs import JobKind
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher import __version__

from .cli_jobs import jobs_app
from .cli_plugins import plugins_app
from .options import (
    HELP,
    DegradedOption,
    JsonOption,
    KeyOption,
    NoAnnotatedOption,
    PermitOption,
    SlotsOption,
    VideoStreamOption,
    leave,
    load_settings,
)

app = typer.Typer(
    name="forgesyte",
    help="Run vision plugins over videos and images. Each job runs in a sandbox of its own.",
    epilog="First steps: forgesyte doctor, then forgesyte demo, then forgesyte up.",
    add_completion=False,
    **HELP,
)
app.add_typer(jobs_app, name="jobs", epilog="Example: forgesyte jobs list --limit 20")
app.add_typer(plugins_app, name="plugins", epilog="Example: forgesyte plugins list --json")


def main() -> None:
    """Run the command line; this is the console script `forgesyte`."""
    _fill_closed_streams()
    _require_utf8()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that stdout's encoding lacks must not end the command
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except ForgeSyteError as error:  # of a command that does nothing but print
        from .command_runs import show_error

        sys.exit(show_error(error))


def _fill_closed_streams() -> None:
    """Open /dev/null where a standard stream is closed, or the next files and sockets would get its number."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _require_utf8() -> None:
    """Start again in Python's UTF-8 mode where file names have another encoding, as in an ASCII locale.

    Such a name cannot be told to the store and the sandboxes, which take UTF-8. The mode is inherited by every child.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONUTF8": "1"})  # noqa: S606


def _version(wanted: bool) -> None:
    if wanted:
        from forgesyte_launcher.terminal.output import say

        say(f"forgesyte {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run vision plugins over videos and images. Each job runs in a sandbox of its own."""


@app.command(epilog="Example: forgesyte up --port 8080 --data-dir /var/lib/forgesyte --slots 2")
def up(
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen on. Any but loopback needs keys in FORGESYTE_JOB_API_API_KEYS.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port to listen on; 0 takes any free port.")
    ] = 8000,
    data_dir: Annotated[
        Path, typer.Option(file_okay=False, metavar="DIR", help="The folder for jobs, media, results and logs.")
    ] = Path("./forgesyte-data"),
    slots: SlotsOption = None,
    permit: PermitOption = None,
    allow_degraded_sandbox: DegradedOption = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the log, with the logs of nats-server and the runner.")
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C.

    Prints `ready http://HOST:PORT` when jobs can be submitted. Ctrl-C gives running jobs a moment to finish, stops
    everything in order and exits with 0; unfinished jobs continue at the next start with the same data folder.
    """
    from forgesyte_launcher.stack.stack import StackOptions

    from .up import up as run_up

    options = StackOptions(data_dir, host, port, slots, tuple(permit or ()), has_ops_port=True, shows_logs=verbose)
    leave(run_up(options, load_settings(is_verbose=verbose, allows_degraded=allow_degraded_sandbox)))


@app.command(epilog="Example: forgesyte run cars.mp4 --plugin motion-detector --tool detect-motion")
def run(  # noqa: PLR0913 - each parameter is an option of the command line
    *,
    media: Annotated[
        str, typer.Argument(metavar="FILE", help="A video or an image: a file, a FIFO, or - for standard input.")
    ],
    plugin: Annotated[
        str, typer.Option(metavar="NAME", help="The plugin to run; `forgesyte plugins list` shows them all.")
    ],
    tool: Annotated[
        list[str], typer.Option(metavar="NAME", help="A tool of the plugin; repeat the option for several tools.")
    ],
    options: Annotated[
        str, typer.Option(metavar="JSON", help="The options of the tool; for several tools {tool: options}.")
    ] = "{}",
    as_kind: Annotated[
        JobKind | None,
        typer.Option("--as", help="What the media is.", show_default="what its first bytes say"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, metavar="DIR", help="The folder for the results.", show_default="./forgesyte-out/<name>"
        ),
    ] = None,
    video_stream: VideoStreamOption = None,
    no_annotated: NoAnnotatedOption = False,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="FORGESYTE_SERVER",
            metavar="URL",
            help="The running server to use.",
            show_default="start one for this job",
        ),
    ] = None,
    api_key: KeyOption = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="DIR",
            help="The data folder of the server that is started for this job.",
            show_default="a temporary folder",
        ),
    ] = None,
    slots: SlotsOption = None,
    permit: PermitOption = None,
    allow_degraded_sandbox: DegradedOption = False,
) -> None:
    """Analyse one video or image: submit it, show its progress, write the results, print a summary.

    The results are result.json (everything), rows.jsonl (one line per frame) and, for a video, annotated.mp4 with the
    detections drawn in. Images may be PNG, JPEG, WebP or TIFF. Several tools share one decode of the media.

    Without --server a server is started for this job and stopped afterwards. Exits with 0 when the job completed, 1
    when it failed, 2 when the command was wrong and 130 after Ctrl-C.
    """
    from forgesyte_launcher.client.client import SubmitRequest
    from forgesyte_launcher.client.media import STANDARD_INPUT

    from .command_runs import show_error
    from .installed_plugins import require_installed
    from .run import RunOptions
    from .run import run as run_run

    if server is None:
        try:
            require_installed(plugin)
        except ForgeSyteError as error:
            leave(show_error(error))
    job = SubmitRequest(plugin, tuple(tool), _json_object(options), video_stream)
    where = out or Path("forgesyte-out") / ("stdin" if media == STANDARD_INPUT else Path(media).stem)
    permitted = tuple(permit or ())
    run_options = RunOptions(
        media, job, where, server, api_key, data_dir, slots, permitted, is_drawn=not no_annotated, kind=as_kind
    )
    leave(run_run(run_options, load_settings(allows_degraded=allow_degraded_sandbox)))


@app.command(epilog="Example: forgesyte doctor --data-dir /var/lib/forgesyte")
def doctor(
    *,
    data_dir: Annotated[Path, typer.Option(file_okay=False, metavar="DIR", help="The data folder to check.")] = Path(
        "./forgesyte-data"
    ),
    allow_degraded_sandbox: DegradedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check that everything ForgeSyte needs works on this machine: versions, bus, sandbox, limits, data folder."""
    from .doctor import run_doctor

    leave(run_doctor(load_settings(allows_degraded=allow_degraded_sandbox), data_dir, as_json=as_json))


@app.command(epilog="Example: forgesyte demo --video cars.mp4")
def demo(
    *,
    video: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="The video to use.", show_default="a generated clip"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, metavar="DIR", help="The folder for the results.")] = Path(
        "./demo-out"
    ),
    permit: PermitOption = None,
    allow_degraded_sandbox: DegradedOption = False,
) -> None:
    """Detect motion in a video, end to end: HTTP, queue, sandboxed plugin, store, results.

    Without --video a clip is generated, and the detections are compared with its ground truth. Writes result.json,
    rows.jsonl and annotated.mp4, which shows the boxes.
    """
    from .demo import run_demo

    settings = load_settings(allows_degraded=allow_degraded_sandbox)
    leave(run_demo(settings, out, video, permitted=tuple(permit or ())))


@app.command(epilog="Example: forgesyte openapi > openapi.json")
def openapi(
    *,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Print the JSON Schemas of the realtime messages instead.")
    ] = False,
) -> None:
    """Print the OpenAPI document of the HTTP API; no server has to run.

    A server of this version serves the same document at GET /openapi.json; generate clients and types from it. With
    --realtime it prints one JSON Schema per message of /v1/realtime, under server_messages and client_messages.
    """
    from .openapi import print_openapi, print_realtime

    leave(print_realtime() if realtime else print_openapi())


@app.command(epilog="Example: forgesyte asyncapi > asyncapi.json")
def asyncapi() -> None:
    """Print the AsyncAPI document of the realtime sockets; no server has to run.

    A server of this version serves the same document at GET /asyncapi.json; generate types of the messages from it.
    """
    from .openapi import print_asyncapi

    leave(print_asyncapi())


def _json_object(text: str) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        parsed = json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise typer.BadParameter(
            f"--options is not valid JSON ({error}); expected something like '{{\"min_area\": 200}}'"
        ) from error
    if not isinstance(parsed, dict):
        from forgesyte_job_api.submit.option_sentences import kind_of

        raise typer.BadParameter(f"--options must be a JSON object, not {kind_of(parsed)}")
    return parsed

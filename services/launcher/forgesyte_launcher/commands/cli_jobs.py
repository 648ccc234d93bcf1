"""The command line of `forgesyte jobs`; a command imports what it does when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from forgesyte_contracts.jobs import JobStatus

from .options import (
    DEFAULT_SERVER,
    HELP,
    JobArgument,
    JsonOption,
    KeyOption,
    NoAnnotatedOption,
    ServerOption,
    leave,
    load_settings,
)

jobs_app = typer.Typer(help="List, watch, fetch, cancel and retry the jobs of a running server.", **HELP)


@jobs_app.command("list", epilog="Example: forgesyte jobs list --limit 20")
def jobs_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="The most jobs to list.")] = 10,
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs in this state.")] = None,
    plugin: Annotated[str | None, typer.Option(metavar="NAME", help="Only jobs of this plugin.")] = None,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """List the newest jobs."""
    from .jobs import JobFilter, list_jobs
    from .server_command import Server

    leave(list_jobs(Server(server, api_key), load_settings(), JobFilter(limit, status, plugin), as_json=as_json))


@jobs_app.command("show", epilog="Example: forgesyte jobs show 01920000-0000-7000-8000-000000000000 --json")
def jobs_show(
    *,
    job_id: JobArgument,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show one job's record."""
    from .jobs import show_job
    from .server_command import Server

    leave(show_job(Server(server, api_key), load_settings(), job_id, as_json=as_json))


@jobs_app.command("watch", epilog="Example: forgesyte jobs watch 01920000-0000-7000-8000-000000000000")
def jobs_watch(*, job_id: JobArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Show a job's progress until it ends. Ctrl-C stops watching; the job continues."""
    from .jobs import watch
    from .server_command import Server

    leave(watch(Server(server, api_key), load_settings(), job_id))


@jobs_app.command("fetch", epilog="Example: forgesyte jobs fetch 01920000-0000-7000-8000-000000000000 --out ./found")
def jobs_fetch(
    *,
    job_id: JobArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, metavar="DIR", help="The folder for the results.", show_default="./forgesyte-out/JOB"
        ),
    ] = None,
    no_annotated: NoAnnotatedOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Write an ended job's results into a folder, as `forgesyte run` does, and print the summary."""
    from .jobs import fetch
    from .server_command import Server

    where = out or Path("forgesyte-out") / job_id
    leave(fetch(Server(server, api_key), load_settings(), job_id, where, is_drawn=not no_annotated))


@jobs_app.command("cancel", epilog="Example: forgesyte jobs cancel 01920000-0000-7000-8000-000000000000")
def jobs_cancel(*, job_id: JobArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Cancel a job; a job that has already ended is left as it is."""
    from .jobs import cancel
    from .server_command import Server

    leave(cancel(Server(server, api_key), load_settings(), job_id))


@jobs_app.command("retry", epilog="Example: forgesyte jobs retry 01920000-0000-7000-8000-000000000000")
def jobs_retry(*, job_id: JobArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Submit a job's media once more, with the same tools and options, and print the new job's id."""
    from .jobs import retry
    from .server_command import Server

    leave(retry(Server(server, api_key), load_settings(), job_id))

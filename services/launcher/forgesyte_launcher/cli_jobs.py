"""The command line of `forgesyte jobs` and `forgesyte plugins`; what they do is imported when they run."""

from typing import Annotated

import typer

from .options import DEFAULT_SERVER, HELP, JobArgument, JsonOption, KeyOption, ServerOption, leave, load_settings

jobs_app = typer.Typer(help="See and cancel the jobs of a running server.", **HELP)
plugins_app = typer.Typer(help="See the plugins that are installed here.", **HELP)


@jobs_app.command("list", epilog="Example: forgesyte jobs list --limit 20")
def jobs_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 10,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """List the newest jobs."""
    from .jobs import Server, list_jobs

    leave(list_jobs(Server(server, api_key), load_settings(), limit=limit, as_json=as_json))


@jobs_app.command("show", epilog="Example: forgesyte jobs show 01920000-0000-7000-8000-000000000000 --json")
def jobs_show(
    *,
    job_id: JobArgument,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show one job's record."""
    from .jobs import Server, show_job

    leave(show_job(Server(server, api_key), load_settings(), job_id, as_json=as_json))


@jobs_app.command("watch", epilog="Example: forgesyte jobs watch 01920000-0000-7000-8000-000000000000")
def jobs_watch(*, job_id: JobArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Show a job's progress until it ends; Ctrl-C stops watching, not the job."""
    from .jobs import Server, watch

    leave(watch(Server(server, api_key), load_settings(), job_id))


@jobs_app.command("cancel", epilog="Example: forgesyte jobs cancel 01920000-0000-7000-8000-000000000000")
def jobs_cancel(*, job_id: JobArgument, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Cancel a job; one that has already ended is left as it is."""
    from .jobs import Server, cancel

    leave(cancel(Server(server, api_key), load_settings(), job_id))


@plugins_app.command("list", epilog="Example: forgesyte plugins list --json")
def plugins_list(*, as_json: JsonOption = False) -> None:
    """List the plugins installed here: each one read in a sandbox, with its state, its tools and what it lacks."""
    from .plugins import list_plugins

    leave(list_plugins(load_settings(), as_json=as_json))

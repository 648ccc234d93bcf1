"""`forgesyte jobs`: list, show, watch, fetch, cancel, retry, over the HTTP routes of a running server."""

import json
from dataclasses import dataclass
from pathlib import Path

from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.ids import parse_job_id
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.client.client import ApiClient
from forgesyte_launcher.client.results import make_out, save_results
from forgesyte_launcher.client.watching import watch_job
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.terminal.output import say, stderr, stdout, table, warn
from forgesyte_launcher.terminal.progress import open_progress

from .command_runs import ExitCode
from .server_command import Server, ask_server
from .summary import show_summary


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list: at most `limit` (1 to 100), those in one state, those of one plugin."""

    limit: int = 10
    status: JobStatus | None = None
    plugin: str | None = None


def list_jobs(server: Server, settings: LauncherSettings, wanted: JobFilter, *, as_json: bool) -> ExitCode:
    """Print the newest jobs that match, newest first."""

    async def ask(client: ApiClient) -> ExitCode:
        found = await client.jobs(limit=wanted.limit, status=wanted.status, plugin=wanted.plugin)
        if as_json:
            stdout().print_json(data=[job.model_dump(mode="json") for job in found])
        elif found:
            table("job", "status", "progress", "plugin", "tools", "created", rows=[_row(job) for job in found])
        elif wanted.status or wanted.plugin:
            warn("no matching jobs; `forgesyte jobs list` shows all")
        else:
            warn("no jobs yet; submit one with `forgesyte run FILE --plugin NAME --tool NAME --server URL`")
        return ExitCode.OK

    return ask_server(server, settings, ask, name="jobs")


def show_job(server: Server, settings: LauncherSettings, job_id: str, *, as_json: bool) -> ExitCode:
    """Print one job's record."""

    async def ask(client: ApiClient) -> ExitCode:
        facts = (await client.job(_checked(job_id))).model_dump(mode="json", exclude={"results"})
        if as_json:
            stdout().print_json(data=facts)
        else:
            known = [(name, _text(value)) for name, value in facts.items() if value not in (None, [], {})]
            table("field", "value", rows=known)
        return ExitCode.OK

    return ask_server(server, settings, ask, name="jobs")


def watch(server: Server, settings: LauncherSettings, job_id: str) -> ExitCode:
    """Show a job's progress until it ends; ExitCode.OK only when it completed."""

    async def ask(client: ApiClient) -> ExitCode:
        with open_progress(stderr()) as view:
            job = await watch_job(client, _checked(job_id), view)
        say(f"{job.job_id} {job.status}")
        if job.status is JobStatus.COMPLETED:
            return ExitCode.OK
        if job.error_message:
            warn(f"error: {job.error_message}")
        return ExitCode.FAILED

    text = f"stopped watching; job {job_id} continues"
    return ask_server(server, settings, ask, name="jobs", when_stopped=text)


def fetch(server: Server, settings: LauncherSettings, job_id: str, out: Path, *, is_drawn: bool) -> ExitCode:
    """Write an ended job's results into `out`; ExitCode.FAILED when it has not ended yet."""

    async def ask(client: ApiClient) -> ExitCode:
        job = await client.job(_checked(job_id))
        if not job.status.is_terminal:
            text = f"job {job_id} is {job.status}; `forgesyte jobs watch {job_id}` waits until it ends."
            raise ForgeSyteError(Code.JOB_UNFINISHED, text)
        make_out(out)
        with open_progress(stderr()) as view:
            await save_results(client, job, out, view, is_drawn=is_drawn)
        show_summary(job, job.job_id, out)
        return ExitCode.OK

    text = f"stopped; the results in {out} may be incomplete"
    return ask_server(server, settings, ask, name="jobs", when_stopped=text)


def cancel(server: Server, settings: LauncherSettings, job_id: str) -> ExitCode:
    """Cancel a job; ExitCode.FAILED when it had already ended."""

    async def ask(client: ApiClient) -> ExitCode:
        answer = await client.cancel(_checked(job_id))
        dying = " (its sandbox is still being stopped)" if answer.get("stopping") else ""
        say(f"{job_id} {answer.get('status', 'cancelled')}{dying}")
        return ExitCode.OK

    return ask_server(server, settings, ask, name="jobs")


def retry(server: Server, settings: LauncherSettings, job_id: str) -> ExitCode:
    """Submit a job's media once more, with the same tools and options; print the id of the new job."""

    async def ask(client: ApiClient) -> ExitCode:
        say(await client.retry(_checked(job_id)))
        return ExitCode.OK

    return ask_server(server, settings, ask, name="jobs")


def _checked(job_id: str) -> str:
    try:
        return parse_job_id(job_id)
    except ValueError as error:
        raise ForgeSyteError(
            Code.REQUEST_INVALID, f"{job_id!r} is not a job id: {error}. `forgesyte jobs list` shows them."
        ) from error


def _row(job: JobView) -> tuple[str, ...]:
    created = job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    progress = "" if job.progress is None else f"{job.progress}%"
    return job.job_id, job.status, progress, job.plugin_id, ", ".join(job.tools), created


def _text(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

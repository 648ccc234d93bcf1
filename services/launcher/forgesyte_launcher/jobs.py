"""`forgesyte jobs`: list, show, watch, cancel, over the HTTP routes of a running server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.ids import parse_job_id
from forgesyte_contracts.jobs import JobStatus, JobView
from forgesyte_contracts.problems import Code, ForgeSyteError

from .client import Client, open_client
from .output import Exit, Interrupted, run_command, say, stderr, stdout, table, unless_stopped, warn
from .progress import open_progress
from .settings import LauncherSettings
from .watching import watch_job


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask and with which key."""

    address: str
    api_key: str | None = None


def list_jobs(server: Server, settings: LauncherSettings, *, limit: int, as_json: bool) -> Exit:
    """Print the newest jobs, newest first."""

    async def ask(client: Client, _: Lifetime) -> Exit:
        found = await client.jobs(limit=limit)
        if as_json:
            stdout().print_json(data=[job.model_dump(mode="json") for job in found])
        elif found:
            table("job", "status", "progress", "plugin", "tools", "created", rows=[_row(job) for job in found])
        else:
            warn("no jobs yet; submit one with `forgesyte run VIDEO --plugin NAME --tool NAME --server ADDRESS`")
        return Exit.OK

    return _ask(server, settings, ask)


def show_job(server: Server, settings: LauncherSettings, job_id: str, *, as_json: bool) -> Exit:
    """Print one job's record."""

    async def ask(client: Client, _: Lifetime) -> Exit:
        facts = (await client.job(_checked(job_id))).model_dump(mode="json", exclude={"results"})
        if as_json:
            stdout().print_json(data=facts)
        else:
            known = [(name, _text(value)) for name, value in facts.items() if value not in (None, [], {})]
            table("field", "value", rows=known)
        return Exit.OK

    return _ask(server, settings, ask)


def watch(server: Server, settings: LauncherSettings, job_id: str) -> Exit:
    """Show a job's progress until it ends; Exit.OK only when it completed."""

    async def ask(client: Client, lifetime: Lifetime) -> Exit:
        try:
            with open_progress(stderr()) as view:
                job = await unless_stopped(lifetime.stopping, watch_job(client, _checked(job_id), view))
        except Interrupted:
            warn(f"stopped watching; job {job_id} goes on")
            return Exit.INTERRUPTED
        say(f"{job.job_id} {job.status}")
        if job.status is JobStatus.COMPLETED:
            return Exit.OK
        if job.error_message:
            warn(f"error: {job.error_message}")
        return Exit.FAILED

    return _ask(server, settings, ask)


def cancel(server: Server, settings: LauncherSettings, job_id: str) -> Exit:
    """Cancel a job; Exit.FAILED when it had already ended."""

    async def ask(client: Client, _: Lifetime) -> Exit:
        answer = await client.cancel(_checked(job_id))
        dying = " (its sandbox is still being stopped)" if answer.get("stopping") else ""
        say(f"{job_id} {answer.get('status', 'cancelled')}{dying}")
        return Exit.OK

    return _ask(server, settings, ask)


def _ask(server: Server, settings: LauncherSettings, ask: Callable[[Client, Lifetime], Awaitable[Exit]]) -> Exit:
    async def main(lifetime: Lifetime) -> Exit:
        async with open_client(server.address, api_key=server.api_key) as client:
            return await ask(client, lifetime)

    return run_command(main, name="jobs", settings=settings)


def _checked(job_id: str) -> str:
    try:
        return parse_job_id(job_id)
    except ValueError as error:
        raise ForgeSyteError(
            Code.REQUEST_INVALID, f"{job_id!r} is no job id: {error}. `forgesyte jobs list` shows them."
        ) from error


def _row(job: JobView) -> tuple[str, ...]:
    created = job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    progress = "" if job.progress is None else f"{job.progress}%"
    return job.job_id, job.status, progress, job.plugin_id, ", ".join(job.tools), created


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""`forgesyte run`: one video or image becomes one job, and its results become files and a table.

Without a server it starts one for the job, with the same code as `forgesyte up`: there is no second, simpler path on
which media could be analysed differently.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobKind, JobStatus
from forgesyte_contracts.problems import ForgeSyteError
from forgesyte_launcher.client.client import ApiClient, SubmitRequest, open_client
from forgesyte_launcher.client.media import open_media
from forgesyte_launcher.client.results import make_out, save_results
from forgesyte_launcher.client.watching import watch_job
from forgesyte_launcher.interruption import Interrupted, unless_stopped
from forgesyte_launcher.settings import LauncherSettings
from forgesyte_launcher.stack.stack import StackOptions, running_stack
from forgesyte_launcher.stack.temporary_data import temporary_data
from forgesyte_launcher.terminal.output import stderr, warn
from forgesyte_launcher.terminal.progress import ProgressView, open_progress

from .command_runs import ExitCode, run_command
from .summary import show_summary
from .up import with_stop_margin


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What to run and where.

    Attributes:
        media: a path, or `-` for standard input.
        job: what to run over it.
        out: the folder for the results; made if missing.
        server: its address; None starts a server for this job.
        api_key: the server's key.
        data_dir: the data folder of the server that is started; None takes a temporary one.
        slots: how many jobs run at once on the server that is started.
        permitted: plugins that may have what their manifests ask for, on the server that is started.
        is_drawn: whether the annotated video is wanted.
        kind: what the media is; None finds it out.
    """

    media: str
    job: SubmitRequest
    out: Path
    server: str | None = None
    api_key: str | None = None
    data_dir: Path | None = None
    slots: int | None = None
    permitted: tuple[str, ...] = ()
    is_drawn: bool = True
    kind: JobKind | None = None


def run(options: RunOptions, settings: LauncherSettings) -> ExitCode:
    """Run one job to its end; ExitCode.OK only when it completed."""

    async def main(lifetime: Lifetime) -> ExitCode:
        try:
            with open_progress(stderr()) as view:
                job, name = await _one_job(options, lifetime, settings, view)
        except Interrupted:
            return ExitCode.INTERRUPTED
        show_summary(job, name, options.out)
        if job.status is JobStatus.COMPLETED:
            return ExitCode.OK
        warn(f"error: {job.error_message or f'the job ended {job.status}'}")
        return ExitCode.FAILED

    return run_command(main, name="run", settings=with_stop_margin(settings))


async def _one_job(
    options: RunOptions, lifetime: Lifetime, settings: LauncherSettings, view: ProgressView
) -> tuple[JobView, str]:
    """Return the ended job and the name of its media."""
    async with AsyncExitStack() as stack:
        opening = open_media(
            options.media, kind=options.kind, on_wait=lambda name: view.say(f"waiting for data from {name}")
        )
        # What cannot be read is refused before anything is started; the first bytes of a stream may never come.
        media = await unless_stopped(lifetime.stopping, stack.enter_async_context(opening))
        make_out(options.out)
        server = await stack.enter_async_context(_server(options, lifetime, settings, view))
        client = await stack.enter_async_context(open_client(server, api_key=options.api_key))
        on_sent = partial(view.sent, media.name, media.size_bytes)
        on_sent(0)
        job_id = await unless_stopped(lifetime.stopping, client.submit(options.job, media, on_sent=on_sent))
        try:
            job = await unless_stopped(lifetime.stopping, watch_job(client, job_id, view))
        except Interrupted:
            await _leave(client, job_id, options)
            raise
        try:
            saving = save_results(client, job, options.out, view, is_drawn=options.is_drawn)
            await unless_stopped(lifetime.stopping, saving)
        except Interrupted:
            warn(f"stopped; job {job_id} is {job.status}, but its results in {options.out} are incomplete")
            raise
        return job, media.name


@asynccontextmanager
async def _server(
    options: RunOptions, lifetime: Lifetime, settings: LauncherSettings, view: ProgressView
) -> AsyncIterator[str]:
    if options.server is not None:
        yield options.server
        return
    async with AsyncExitStack() as stack:
        data = options.data_dir
        if data is None:
            data = stack.enter_context(temporary_data())
        view.say("starting nats-server, the runner and the HTTP server")
        own = StackOptions(data, slots=options.slots, permitted=options.permitted)
        yield await stack.enter_async_context(running_stack(own, lifetime, settings))


async def _leave(client: ApiClient, job_id: str, options: RunOptions) -> None:
    """After Ctrl-C, cancel a job on the server that was started for it; on any other server the job continues."""
    if options.server is not None:
        warn(
            f"stopped watching; job {job_id} continues. Watch it with `forgesyte jobs watch {job_id} --server "
            f"{options.server}`, or cancel it with `forgesyte jobs cancel {job_id} --server {options.server}`."
        )
        return
    warn(f"stopped; cancelling job {job_id}")
    with suppress(ForgeSyteError):
        await client.cancel(job_id)

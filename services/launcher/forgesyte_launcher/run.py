"""`forgesyte run`: one video, one job, the same way as every job; then the files and a table.

Without a server it starts one of its own for the moment, through the same code as `forgesyte up`: there is no second,
simpler way in which a video could be analysed differently.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from forgesyte_chassis.main import Lifetime
from forgesyte_contracts.jobs import JobStatus, JobView
from forgesyte_contracts.problems import Code, ForgeSyteError

from .client import Client, Submission, open_client
from .output import Exit, Interrupted, run_command, stderr, unless_stopped, warn
from .progress import ProgressView, open_progress
from .settings import LauncherSettings
from .stack import StackOptions, running_stack
from .summary import show_summary
from .up import with_stop_margin
from .watching import watch_job


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What to run and where.

    Attributes:
        job: what to submit.
        out: folder for result.json and rows.jsonl; made if missing.
        server: an address; None starts everything here for the moment.
        api_key: the server's key.
        data_dir: data folder of the own server; None takes a temporary one.
        slots: jobs at once of the own server.
    """

    job: Submission
    out: Path
    server: str | None = None
    api_key: str | None = None
    data_dir: Path | None = None
    slots: int | None = None


def run(options: RunOptions, settings: LauncherSettings) -> Exit:
    """Run one job to its end; Exit.OK only when it completed."""

    async def main(lifetime: Lifetime) -> Exit:
        try:
            with open_progress(stderr()) as view:
                job = await _one_job(options, lifetime, settings, view)
        except Interrupted:
            return Exit.INTERRUPTED
        show_summary(job, options.job.video, options.out)
        if job.status is JobStatus.COMPLETED:
            return Exit.OK
        warn(f"error: {job.error_message or f'the job ended {job.status}'}")
        return Exit.FAILED

    return run_command(main, name="run", settings=with_stop_margin(settings))


def make_out(out: Path) -> None:
    """Make the folder for results.

    Raises:
        ForgeSyteError: REQUEST_INVALID when it can not be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"results can not be written to {out}: {error.strerror}. Choose another folder with --out."
        raise ForgeSyteError(Code.REQUEST_INVALID, text) from error


async def _one_job(options: RunOptions, lifetime: Lifetime, settings: LauncherSettings, view: ProgressView) -> JobView:
    make_out(options.out)
    async with (
        _server(options, lifetime, settings, view) as server,
        open_client(server, api_key=options.api_key) as client,
    ):
        view.say(f"uploading {options.job.video.name}")
        job_id = await unless_stopped(lifetime.stopping, client.submit(options.job))
        try:
            return await unless_stopped(lifetime.stopping, _to_the_end(client, job_id, options.out, view))
        except Interrupted:
            await _leave(client, job_id, options)
            raise


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
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="forgesyte-run-")))
        view.say("starting nats-server, the runner and the HTTP port")
        own = StackOptions(data, slots=options.slots)
        yield await stack.enter_async_context(running_stack(own, lifetime, settings))


async def _to_the_end(client: Client, job_id: str, out: Path, view: ProgressView) -> JobView:
    job = await watch_job(client, job_id, view)
    # A failed or cancelled job has the rows so far; it may also have nothing at all.
    with suppress(*(() if job.status is JobStatus.COMPLETED else (ForgeSyteError,))):
        await client.save_result(job_id, "json", out / "result.json")
        await client.save_result(job_id, "jsonl", out / "rows.jsonl")
    return job


async def _leave(client: Client, job_id: str, options: RunOptions) -> None:
    """Ctrl-C: a job on our own server ends with it, one on somebody's server goes on."""
    if options.server is not None:
        warn(
            f"stopped watching; job {job_id} goes on. Watch it with `forgesyte jobs watch {job_id} --server "
            f"{options.server}`, or end it with `forgesyte jobs cancel {job_id} --server {options.server}`."
        )
        return
    warn(f"stopped; job {job_id} is cancelled")
    with suppress(ForgeSyteError):
        await client.cancel(job_id)

"""Follow a job over HTTP until it ends, through short absences of the server."""

import asyncio
from collections.abc import AsyncIterator

from forgesyte_contracts.jobs import JobView
from forgesyte_contracts.problems import ForgeSyteError

from .client import Client
from .progress import ProgressView

EVERY_S = 0.25
AWAY_LIMIT_S = 30.0
"""How long the server may be unreachable, or say that a part of it is away, before following is given up."""


async def follow_job(client: Client, job_id: str) -> AsyncIterator[JobView]:
    """Give the job's record again and again; the last one is the ended job.

    Raises:
        ForgeSyteError: the job is unknown, or the server was away for AWAY_LIMIT_S.
    """
    clock = asyncio.get_running_loop().time
    seen_s = clock()
    while True:
        try:
            job = await client.job(job_id)
        except ForgeSyteError as error:
            if not error.retryable or clock() - seen_s > AWAY_LIMIT_S:
                raise
        else:
            seen_s = clock()
            yield job
            if job.status.is_terminal:
                return
        await asyncio.sleep(EVERY_S)


async def watch_job(client: Client, job_id: str, view: ProgressView) -> JobView:
    """Show the job's progress until it has ended; gives the ended job. Raises as follow_job()."""
    job: JobView | None = None
    async for job in follow_job(client, job_id):
        view.show(job)
    if job is None:
        raise AssertionError("follow_job() gives at least one record or raises")
    return job

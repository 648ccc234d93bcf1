"""POST /v1/jobs/{job_id}/cancel: the runner of the job ends it, or this service does if that takes too long.

The runner holds rows that are not committed yet. So it is asked first: it stops the sandbox, commits what it has and
writes the record, whose counts are then those of the rows that can be read. A job without an owner, or whose owner does
not answer or does not get it done in time, is ended here, with the rows that were committed so far; from then on every
write of the runner fails. The first ending that is written counts.
"""

import structlog
from fastapi import APIRouter

from forgesyte_chassis.bus import BusUnavailable, Stored
from forgesyte_contracts import moves
from forgesyte_contracts.http.jobs import CancelledJob, job_view
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.openapi.examples import CANCELLED_JOB
from forgesyte_job_api.openapi.route_docs import answer, problem_responses
from forgesyte_job_api.results.lookup import job_unknown
from forgesyte_job_api.state import ApiState, PathJobId, State

OWNER_LIMIT_S = 3.0
"""How long a runner that agreed to end a job may take: to stop the sandbox, and a second at most for the last rows."""

log = structlog.get_logger(__name__)
router = APIRouter(tags=["jobs"])


@router.post(
    "/v1/jobs/{job_id}/cancel",
    response_model=CancelledJob,
    responses={
        200: answer(CANCELLED_JOB),
        **problem_responses(
            Code.KEY_MISSING,
            Code.KEY_REFUSED,
            Code.JOB_UNKNOWN,
            Code.JOB_FINISHED,
            Code.REQUEST_INVALID,
            Code.SERVICE_UNAVAILABLE,
        ),
    },
)
async def cancel_job(state: State, job_id: PathJobId) -> CancelledJob:
    """Cancel a job that has not ended; if two endings race, the first one written counts."""
    async with state.cancels.turn(job_id):
        seen = state.projection.get(job_id)
        if seen is not None and seen.record.is_terminal:  # an ended record never changes: the bus need not be asked
            raise _finished(seen.record)
        is_asked = await _ask_owner(state, job_id)
        stored, had_owner = await _write_cancelled(state, job_id, is_asked=is_asked)
    log.info("job cancelled", job_id=job_id, plugin=stored.record.plugin_id)
    await _take_back(state, job_id, stored.record)
    return CancelledJob(**dict(job_view(stored.record)), stopping=had_owner)


async def _ask_owner(state: ApiState, job_id: JobId) -> bool:
    """Ask the owner to end the job, if it has one; when it agrees, give it the time that this normally takes."""
    try:
        known = await state.bus.jobs.get(job_id)
    except BusUnavailable:
        return False  # the write is what fails, if it does not come back in time
    if known is None or known.record.is_terminal or known.record.owner is None:
        return False
    if await state.bus.control.request_cancel(job_id):
        await state.projection.wait_ended(job_id, OWNER_LIMIT_S)
    return True


async def _write_cancelled(state: ApiState, job_id: JobId, *, is_asked: bool) -> tuple[Stored, bool]:
    """Return the cancelled record, and whether it was still owned, so that its sandbox may still be running."""
    had_owner = False

    def cancelled(record: JobRecord) -> JobRecord:
        nonlocal had_owner
        if is_asked and record.status is JobStatus.CANCELLED:
            return record
        had_owner = record.owner is not None
        return moves.cancelled(record, state.clock.now())

    try:
        stored = await state.bus.jobs.change(job_id, cancelled)
    except ForgeSyteError as error:
        if error.code is Code.JOB_UNKNOWN:
            raise await _gone(state, job_id) from None
        raise
    state.projection.apply(job_id, stored.record, stored.revision)
    return stored, had_owner


async def _gone(state: ApiState, job_id: JobId) -> ForgeSyteError:
    """Say whether a job without a record ended long ago or never existed."""
    record = await state.archive.record(job_id)
    if record is None:
        return job_unknown(job_id)
    return _finished(record)


def _finished(record: JobRecord) -> ForgeSyteError:
    text = f"job {record.job_id} is already {record.status.value}, so it cannot be cancelled"
    return ForgeSyteError(Code.JOB_FINISHED, text, job_id=record.job_id)


async def _take_back(state: ApiState, job_id: JobId, record: JobRecord) -> None:
    """Take the work back and keep the record; an owner that did not answer reads the record within seconds."""
    try:
        await state.bus.work.purge(job_id, record.plugin_id, record.device)
        await state.archive.keep_record(record)
    except Exception:  # an HTTP border: the job is cancelled, so whatever the rest did, the answer is 200
        log.warning("work of a cancelled job not taken back yet", job_id=job_id, exc_info=True)

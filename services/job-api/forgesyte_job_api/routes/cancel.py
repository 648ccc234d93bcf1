"""POST /v1/jobs/{job_id}/cancel: changes the record first, because from then on every write of the runner fails."""

import structlog
from fastapi import APIRouter

from forgesyte_chassis.bus import Stored
from forgesyte_contracts import moves
from forgesyte_contracts.http.jobs import CancelledJob, job_view
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.openapi.examples import CANCELLED_JOB
from forgesyte_job_api.openapi.route_docs import answer, problem_responses
from forgesyte_job_api.results.lookup import job_unknown
from forgesyte_job_api.state import ApiState, PathJobId, State

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
    seen = state.projection.get(job_id)
    if seen is not None and seen.record.is_terminal:  # an ended record never changes, so the bus need not be asked
        raise _finished(seen.record)
    stored, had_owner = await _write_cancelled(state, job_id)
    log.info("job cancelled", job_id=job_id, plugin=stored.record.plugin_id)
    answered = await _notify(state, job_id, stored.record, had_owner=had_owner)
    return CancelledJob(**dict(job_view(stored.record)), stopping=had_owner and not answered)


async def _write_cancelled(state: ApiState, job_id: JobId) -> tuple[Stored, bool]:
    had_owner = False

    def cancelled(record: JobRecord) -> JobRecord:
        nonlocal had_owner
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


async def _notify(state: ApiState, job_id: JobId, record: JobRecord, *, had_owner: bool) -> bool:
    """Take the work back, ask the runner to stop, keep the record; all this only speeds up what the record says."""
    answered = False
    try:
        await state.bus.work.purge(job_id, record.plugin_id, record.device)
        answered = had_owner and await state.bus.control.request_cancel(job_id)
        await state.archive.keep_record(record)
    except Exception:  # an HTTP border: the job is cancelled, so whatever the rest did, the answer is 200
        log.warning("cancel not delivered, the runner will read the record", job_id=job_id, exc_info=True)
    return answered

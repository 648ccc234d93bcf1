"""GET /v1/jobs/{job_id}/result/timeline: when a job found what, as lanes that a page can draw."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from forgesyte_contracts.http.timeline import DEFAULT_BINS, MAX_BINS, ResultTimeline
from forgesyte_contracts.problems import Code
from forgesyte_job_api.openapi.examples import TIMELINE
from forgesyte_job_api.openapi.route_docs import answer, problem_responses
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["results"])

_PATH = "/v1/jobs/{job_id}/result/timeline"
_PROBLEMS = (
    Code.KEY_MISSING,
    Code.KEY_REFUSED,
    Code.JOB_UNKNOWN,
    Code.REQUEST_INVALID,
    Code.TOO_MANY_REQUESTS,
    Code.SERVICE_UNAVAILABLE,
)


@router.get(_PATH, response_model=ResultTimeline, responses={200: answer(TIMELINE), **problem_responses(*_PROBLEMS)})
@router.head(_PATH, include_in_schema=False)
async def get_timeline(
    state: State,
    job_id: PathJobId,
    bins: Annotated[
        int, Query(ge=1, le=MAX_BINS, description="Into at most how many parts the frames are cut.", examples=[400])
    ] = DEFAULT_BINS,
) -> Response:
    """Return in which parts of a job each class and each track was found; for a running job, in the rows so far."""
    record = await state.find(job_id)
    return Response(await state.timelines.timeline(record, bins), media_type="application/json")

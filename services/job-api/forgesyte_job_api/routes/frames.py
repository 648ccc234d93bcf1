"""GET /v1/jobs/{job_id}/frames: when each frame of a job is shown, so that a page can tell which one it shows."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_chassis.store.frame_times import read_times
from forgesyte_contracts.http.frame_table import FRAMES_TYPE, FrameTable, TableOf
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.openapi.examples import FRAME_TABLE
from forgesyte_job_api.openapi.route_docs import BINARY, PLAYABLE_PROBLEMS, problem_responses
from forgesyte_job_api.results.frame_tables import table_head, table_response
from forgesyte_job_api.results.making import DESCRIBED, making_response
from forgesyte_job_api.results.playable_times import copy_head, read_copy_times
from forgesyte_job_api.results.workshop import Underway
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["results"])

MAX_FRAMES = 1_000_000
"""How many frames one answer has at most, also without `limit`."""


@router.get(
    "/v1/jobs/{job_id}/frames",
    responses={
        200: {
            "description": "The table as JSON, or in its binary form, where `Accept` names it; for an unfinished job "
            "the frames so far.",
            "model": FrameTable,
            "content": {"application/json": {"example": FRAME_TABLE}, FRAMES_TYPE: {"schema": BINARY}},
        },
        202: DESCRIBED,
        304: {"description": "The client's copy, named by `If-None-Match`, is still right."},
        **problem_responses(*PLAYABLE_PROBLEMS),
    },
)
@router.head("/v1/jobs/{job_id}/frames", include_in_schema=False)
async def get_frames(
    request: Request,
    state: State,
    job_id: PathJobId,
    of: Annotated[
        TableOf,
        Query(description="Which video the times are of: the input, or what /playable answers.", examples=["input"]),
    ] = TableOf.INPUT,
    from_frame: Annotated[int, Query(ge=0, description="First frame_index to return.", examples=[0])] = 0,
    limit: Annotated[
        int, Query(ge=1, le=MAX_FRAMES, description="Most frames to return.", examples=[1000])
    ] = MAX_FRAMES,
) -> Response:
    """Return which frames have a row and when each is shown; while the job runs, those that are done."""
    record = await state.find(job_id)
    if of is TableOf.PLAYABLE:
        found = await state.playables.ask_for(record)
        if isinstance(found, Underway):
            return making_response(job_id, found)
        if found.shows == "copy":
            async with state.tables:
                times = await read_copy_times(state.store, job_id, found, from_frame=from_frame, limit=limit)
                return await table_response(request, copy_head(record, found), times, is_final=True)
    async with state.tables:
        return await _of_input(request, state, record, from_frame, limit)


async def _of_input(request: Request, state: State, record: JobRecord, from_frame: int, limit: int) -> Response:
    job_id = record.job_id
    try:
        times = await read_times(state.store, record, from_frame=from_frame, limit=limit)
    except BlobMissing:
        raise ForgeSyteError(Code.JOB_UNKNOWN, f"the rows of job {job_id} no longer exist", job_id=job_id) from None
    if times is None:
        text = f"job {job_id} was analysed by an older version, which kept no frame times; submit it again"
        raise ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=job_id)
    return await table_response(request, table_head(record), times, is_final=record.is_terminal)

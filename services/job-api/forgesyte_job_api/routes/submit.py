"""POST /v1/video/submit and /v1/image/submit: the answer is the job's id; the job runs later."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from forgesyte_contracts.http.jobs import Submitted
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code
from forgesyte_job_api.openapi.examples import EXAMPLE_JOB_ID, SUBMITTED
from forgesyte_job_api.openapi.route_docs import Responses, answer, problem_responses, request_body
from forgesyte_job_api.request_counting import CountedSubmit
from forgesyte_job_api.state import State
from forgesyte_job_api.submit.mediakind import IMAGE, VIDEO, MediaKind
from forgesyte_job_api.submit.submit_fields import SubmitFields

router = APIRouter(tags=["submit"], route_class=CountedSubmit)

REFUSALS = (
    Code.PLUGIN_UNKNOWN,
    Code.TOOL_UNKNOWN,
    Code.KEY_MISSING,
    Code.KEY_REFUSED,
    Code.PLUGIN_UNAVAILABLE,
    Code.MEDIA_TOO_LARGE,
    Code.MEDIA_INVALID,
    Code.OPTIONS_INVALID,
    Code.REQUEST_INVALID,
    Code.TOO_MANY_REQUESTS,
    Code.SERVICE_UNAVAILABLE,
    Code.STORAGE_FULL,
)
"""Why a submit may be refused."""

ACCEPTED = answer(
    SUBMITTED,
    description="The job was accepted and waits for a runner.",
    headers={
        "Location": {
            "description": "Where the job can be followed.",
            "schema": {"type": "string"},
            "example": f"/v1/jobs/{EXAMPLE_JOB_ID}",
        }
    },
)
"""The answer to what became a job."""

_RESPONSES: Responses = {202: ACCEPTED, **problem_responses(*REFUSALS)}


@router.post(
    "/v1/video/submit",
    status_code=202,
    response_model=Submitted,
    openapi_extra={"requestBody": request_body(VIDEO, SubmitFields)},
    responses=_RESPONSES,
)
async def submit_video(
    request: Request, response: Response, state: State, query: Annotated[SubmitFields, Query()]
) -> Submitted:
    """Accept a video for one plugin and one or more of its tools; all tools run over one decode."""
    return await _submit(request, response, state, VIDEO, query)


@router.post(
    "/v1/image/submit",
    status_code=202,
    response_model=Submitted,
    openapi_extra={"requestBody": request_body(IMAGE, SubmitFields)},
    responses=_RESPONSES,
)
async def submit_image(
    request: Request, response: Response, state: State, query: Annotated[SubmitFields, Query()]
) -> Submitted:
    """Accept an image for one plugin and one or more of its tools that take images; its result is one row."""
    return await _submit(request, response, state, IMAGE, query)


async def _submit(
    request: Request, response: Response, state: State, kind: MediaKind, query: SubmitFields
) -> Submitted:
    record = (await state.intake().accept(request, kind, query)).record
    response.headers["Location"] = f"/v1/jobs/{record.job_id}"
    return submitted(record)


def submitted(record: JobRecord) -> Submitted:
    """Return the answer to what became this job."""
    return Submitted(
        job_id=record.job_id,
        plugin=record.plugin_id,
        plugin_id=record.plugin_id,
        tool=record.tools[0],
        tools=record.tools,
        submitted_at=record.created_at,
    )

"""POST /v1/image/analyze: the answer is the result, if it is ready in time.

It is a submit that waits: the job is like any other, whether the client still waits or not, and its result can be
fetched later by its id.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response

from forgesyte_chassis.web.problems import MEDIA_TYPE, problem_document
from forgesyte_contracts.http.problems import Problem
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.problems import CODE_FACTS, Code, ForgeSyteError
from forgesyte_contracts.results import ResultDocument
from forgesyte_job_api.openapi.examples import NOT_IN_TIME, RESULT
from forgesyte_job_api.openapi.route_docs import Responses, answer, odd_problem, problem_responses, request_body
from forgesyte_job_api.request_counting import CountedSubmit
from forgesyte_job_api.results.views import result_document
from forgesyte_job_api.state import State
from forgesyte_job_api.submit.mediakind import IMAGE
from forgesyte_job_api.submit.submit_fields import AnalyzeFields

from .submit import REFUSALS

log = structlog.get_logger(__name__)
router = APIRouter(tags=["submit"], route_class=CountedSubmit)

_NOT_IN_TIME = 504
_RESPONSES: Responses = {
    200: answer(RESULT, description="The result document."),
    **problem_responses(*REFUSALS, Code.CANCELLED, Code.PLUGIN_ERROR, Code.PLUGIN_OOM, Code.DISK_LIMIT),
    _NOT_IN_TIME: odd_problem(
        _NOT_IN_TIME,
        Code.JOB_UNFINISHED,
        NOT_IN_TIME,
        "The job did not end in time (JOB_UNFINISHED) and continues; `job_id` names it. "
        "Or its plugin took longer than its limit (PLUGIN_TIMEOUT).",
    ),
}


@router.post(
    "/v1/image/analyze",
    response_model=ResultDocument,
    openapi_extra={"requestBody": request_body(IMAGE, AnalyzeFields)},
    responses=_RESPONSES,
)
async def analyze_image(request: Request, state: State, query: Annotated[AnalyzeFields, Query()]) -> Response:
    """Run a plugin's tools on an image and answer with the result; 504 after `timeout_s`, and the job goes on."""
    accepted = await state.intake().accept(request, IMAGE, query)
    job_id = JobId(accepted.record.job_id)
    wait_s = accepted.fields.timeout_s or state.settings.analyze_wait_s
    record = await state.projection.wait_ended(job_id, wait_s) or await state.find(job_id)
    if not record.is_terminal:
        return _not_in_time(record, wait_s)
    if record.status is not JobStatus.COMPLETED:
        raise _problem_of(record)
    return Response(await result_document(state.store, record), media_type="application/json")


def _not_in_time(record: JobRecord, wait_s: float) -> Response:
    where = f"/v1/jobs/{record.job_id}"
    error = ForgeSyteError(
        Code.JOB_UNFINISHED,
        f"job {record.job_id} is still {record.status.value} after {wait_s:g} s and continues; "
        f"follow it at {where}; its result will be at {where}/result",
        job_id=record.job_id,
        job_url=where,
        result_url=f"{where}/result",
    )
    # The code's own status, 409, is for clients that ask for a result too early; here a time limit has passed.
    document = Problem(**problem_document(error) | {"status": _NOT_IN_TIME})
    return Response(
        document.model_dump_json(exclude_none=True), _NOT_IN_TIME, {"Location": where}, media_type=MEDIA_TYPE
    )


def _problem_of(record: JobRecord) -> ForgeSyteError:
    """Say why an ended job has no result. A code with status 500 shows no exception's text; the job itself does."""
    where = f"/v1/jobs/{record.job_id}"
    if record.status is JobStatus.CANCELLED:
        return ForgeSyteError(Code.CANCELLED, f"job {record.job_id} was cancelled", job_id=record.job_id)
    code = next((known for known in Code if known == record.error_code), Code.INTERNAL)
    text = record.error_message or "the job failed and gave no reason"
    if CODE_FACTS[code].status == CODE_FACTS[Code.INTERNAL].status:
        text = f"job {record.job_id} failed ({record.error_type or code}); GET {where} says what happened"
    return ForgeSyteError(code, text, job_id=record.job_id, plugin=record.plugin_id)

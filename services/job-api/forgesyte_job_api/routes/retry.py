"""POST /v1/jobs/{job_id}/retry: another job over the media of a job, without sending it again."""

import asyncio
from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from forgesyte_contracts.http.jobs import Submitted
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.openapi.examples import RETRY
from forgesyte_job_api.openapi.route_docs import problem_responses
from forgesyte_job_api.request_counting import CountedSubmit, note_accepted
from forgesyte_job_api.state import PathJobId, State
from forgesyte_job_api.submit.retry import RetryFields

from .submit import ACCEPTED, REFUSALS, submitted

router = APIRouter(tags=["submit"], route_class=CountedSubmit)

_BODY = {
    "required": False,
    "description": "What the new job does differently; an empty body changes nothing.",
    "content": {"application/json": {"schema": RetryFields.model_json_schema(), "example": RETRY}},
}


@router.post(
    "/v1/jobs/{job_id}/retry",
    status_code=202,
    response_model=Submitted,
    openapi_extra={"requestBody": _BODY},
    responses={202: ACCEPTED, **problem_responses(Code.JOB_UNKNOWN, *REFUSALS)},
)
async def retry_job(request: Request, response: Response, state: State, job_id: PathJobId) -> Submitted:
    """Submit the media of a job once more, to the same plugin; the new job has a copy of it and an id of its own."""
    settings = state.settings
    body = await _body(request, most_bytes=settings.max_field_bytes, idle_s=settings.upload_idle_s)
    changes = _changes(body)
    record = await state.retries().retry(await state.find(job_id), changes, key=request.state.key_name)
    note_accepted(request)
    response.headers["Location"] = f"/v1/jobs/{record.job_id}"
    return submitted(record)


async def _body(request: Request, *, most_bytes: int, idle_s: float) -> bytes:
    """Read the body here and not in the framework, which sets no limit to it."""
    body = bytearray()
    try:
        async with asyncio.timeout(idle_s), aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > most_bytes:
                    text = f"the body has more than {most_bytes} bytes; send only what is to change"
                    raise ForgeSyteError(Code.REQUEST_INVALID, text)
    except TimeoutError:
        text = f"the body did not arrive within {idle_s:g} s; send it again"
        raise ForgeSyteError(Code.REQUEST_INVALID, text) from None
    return bytes(body)


def _changes(body: bytes) -> RetryFields:
    if not body.strip():
        return RetryFields()
    try:
        return RetryFields.model_validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))[:200]
        text = f"{f'body.{field}' if field else 'body'}: {first['msg']}"
        if first["type"] == "extra_forbidden":
            text = f"there is no field {field!r}; a retry knows {', '.join(RetryFields.model_fields)}"
        raise ForgeSyteError(Code.REQUEST_INVALID, text, field=field or None) from None

"""GET /v1/jobs/{job_id}/input, for older clients /video: the media as it was uploaded, with ranges for players.

It comes from strangers, so browsers are told not to guess its type, and that type is never one that a browser would
execute: a picture or a video by its Content-Type or file name, else plain bytes to be saved.
"""

import mimetypes
import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from forgesyte_contracts.jobs import InputFacts
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob
from forgesyte_job_api.openapi.route_docs import BINARY, Responses, problem_responses, range_problem
from forgesyte_job_api.results.byteranges import Offered, blob_response
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["results"])

PLAIN_BYTES = "application/octet-stream"

_SHOWN = re.compile(r"(video|image)/[a-z0-9][a-z0-9.+-]*")
_RUN_BY_BROWSERS = ("xml", "svg", "html")
_PATHS = ("/v1/jobs/{job_id}/input", "/v1/jobs/{job_id}/video")
_MEDIA = {media_type: {"schema": BINARY} for media_type in ("video/*", "image/*", PLAIN_BYTES)}
_RESPONSES: Responses = {
    200: {"description": "The whole input.", "content": _MEDIA},
    206: {"description": "The part that `Range` asked for.", "content": _MEDIA},
    304: {"description": "The client's copy, named by `If-None-Match`, is still the input."},
    416: range_problem("The input"),
    **problem_responses(
        Code.KEY_MISSING, Code.KEY_REFUSED, Code.JOB_UNKNOWN, Code.REQUEST_INVALID, Code.SERVICE_UNAVAILABLE
    ),
}


@router.get(_PATHS[0], response_class=StreamingResponse, responses=_RESPONSES)
@router.get(_PATHS[1], response_class=StreamingResponse, responses=_RESPONSES)
@router.head(_PATHS[0], include_in_schema=False)
@router.head(_PATHS[1], include_in_schema=False)
async def get_input(request: Request, state: State, job_id: PathJobId) -> Response:
    """Return the media of a job as it was uploaded, or the part of it that `Range` asks for."""
    record = await state.find(job_id)
    path = input_blob(job_id)
    size = await state.store.size(path)
    if size is None:
        raise ForgeSyteError(Code.JOB_UNKNOWN, f"the input of job {job_id} is no longer there", job_id=job_id)
    media_type = media_type_of(record.input)
    name = record.input.filename or f"{job_id}{mimetypes.guess_extension(media_type) or ''}"
    offered = Offered(path, size, media_type, name, is_shown=media_type != PLAIN_BYTES)
    return blob_response(request, state.store, offered)


def media_type_of(facts: InputFacts) -> str:
    """Choose the media type with which an input is served.

    >>> media_type_of(InputFacts(media_type="application/octet-stream", filename="clip.mp4"))
    'video/mp4'
    >>> media_type_of(InputFacts(media_type="image/svg+xml", filename="drawing.svg"))
    'application/octet-stream'
    """
    for said in (facts.media_type, mimetypes.guess_type(facts.filename or "")[0]):
        plain = (said or "").partition(";")[0].strip().lower()
        if _SHOWN.fullmatch(plain) and not any(word in plain for word in _RUN_BY_BROWSERS):
            return plain
    return PLAIN_BYTES

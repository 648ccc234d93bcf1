"""GET /v1/jobs/{job_id}/playable: what a browser can show of a job, with ranges for players.

The input itself where browsers show exactly the frames of the job, else a copy that is made in the sandbox when it is
first requested. A request never waits for it. Works while the job runs.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob, playable_blob
from forgesyte_job_api.openapi.route_docs import BINARY, PLAYABLE_PROBLEMS, Responses, problem_responses, range_problem
from forgesyte_job_api.results.byteranges import Offered, blob_response
from forgesyte_job_api.results.making import DESCRIBED, making_response
from forgesyte_job_api.results.playable_facts import MediaType, PlayableFacts
from forgesyte_job_api.results.workshop import Underway
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["results"])

PLAYABLE_HEADER = "Forgesyte-Playable"
"""Says whether the body is the `input` itself or a `copy`."""

_PATH = "/v1/jobs/{job_id}/playable"
_ENDINGS: dict[MediaType, str] = {
    "video/mp4": "mp4", "video/webm": "webm", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp",
}  # fmt: skip
_MEDIA = {media_type: {"schema": BINARY} for media_type in ("video/*", "image/*")}
_HEADERS = {
    PLAYABLE_HEADER: {
        "description": "Whether it is the `input` itself or a `copy`.",
        "schema": {"type": "string", "enum": ["input", "copy"]},
    }
}
_RESPONSES: Responses = {
    200: {"description": "What browsers show, whole.", "content": _MEDIA, "headers": _HEADERS},
    202: DESCRIBED,
    206: {"description": "The part that `Range` asked for.", "content": _MEDIA, "headers": _HEADERS},
    304: {"description": "The client's copy, named by `If-None-Match`, is still right."},
    416: range_problem("What browsers show"),
    **problem_responses(*PLAYABLE_PROBLEMS),
}


@router.get(_PATH, response_class=StreamingResponse, responses=_RESPONSES)
@router.head(_PATH, include_in_schema=False)
async def get_playable(request: Request, state: State, job_id: PathJobId) -> Response:
    """Return the media of a job in a form that browsers show, with exactly the frames of the job."""
    record = await state.find(job_id)
    found = await state.playables.ask_for(record)
    if isinstance(found, Underway):
        return making_response(job_id, found)
    answer = blob_response(request, state.store, await _offered(state, record, found))
    answer.headers[PLAYABLE_HEADER] = found.shows
    return answer


async def _offered(state: State, record: JobRecord, found: PlayableFacts) -> Offered:
    job_id = JobId(record.job_id)
    is_copy = found.shows == "copy"
    path = playable_blob(job_id) if is_copy else input_blob(job_id)
    size = await state.store.size(path)
    if size is None:
        raise ForgeSyteError(Code.JOB_UNKNOWN, f"the input of job {job_id} is no longer there", job_id=job_id)
    name = (None if is_copy else record.input.filename) or f"{job_id}.{_ENDINGS[found.media_type]}"
    return Offered(path, size, found.media_type, name)

"""POST /v1/video/submit: media into the store, then the record, then the work message, in this order.

Whatever can be judged without the media is judged before it is read. From the moment the record exists the answer is
202: a work message that could not be published is sent by the reconciler.
"""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response

from forgesyte_contracts.ids import JobId, new_job_id
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.fields import SubmitFields, form_fields, merged
from forgesyte_job_api.state import ApiState, State
from forgesyte_job_api.submission import Submission, checked
from forgesyte_job_api.upload import FILE_PARTS, RAW, Upload, form_of, refuse_announced_size
from forgesyte_job_api.wire import EXAMPLE_JOB_ID, Submitted, problem_responses

log = structlog.get_logger(__name__)
router = APIRouter(tags=["submit"])

_FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: {"type": "string", "format": "binary"} for name in FILE_PARTS},
        "plugin_id": {"type": "string"},
        "tool": {"type": "array", "items": {"type": "string"}},
        "device": {"type": "string", "enum": ["auto", "cpu", "gpu"]},
        "options": {"type": "string"},
        "skip_bad_frames": {"type": "boolean"},
    },
}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "The video as raw body, or as field `video` (`file` for older clients) of a form.",
    "content": {
        "video/*": _BINARY,
        "application/octet-stream": _BINARY,
        "multipart/form-data": {"schema": _FORM_SCHEMA},
    },
}


@router.post(
    "/v1/video/submit",
    status_code=202,
    response_model=Submitted,
    openapi_extra={"requestBody": _REQUEST_BODY},
    responses={
        202: {
            "description": "The job was accepted and waits for a runner.",
            "headers": {
                "Location": {
                    "description": "Where the job can be followed.",
                    "schema": {"type": "string"},
                    "example": f"/v1/jobs/{EXAMPLE_JOB_ID}",
                }
            },
        },
        **problem_responses(
            Code.PLUGIN_UNKNOWN,
            Code.TOOL_UNKNOWN,
            Code.KEY_MISSING,
            Code.KEY_REFUSED,
            Code.PLUGIN_UNAVAILABLE,
            Code.MEDIA_TOO_LARGE,
            Code.MEDIA_INVALID,
            Code.OPTIONS_INVALID,
            Code.REQUEST_INVALID,
            Code.SERVICE_UNAVAILABLE,
        ),
    },
)
async def submit_video(
    request: Request, response: Response, state: State, query: Annotated[SubmitFields, Query()]
) -> Submitted:
    """Accept a video for one plugin and one or more of its tools; all tools run over one decode."""
    raw = form_of(request) == RAW
    refuse_announced_size(request, state.settings.max_upload_bytes)
    early = _check(state, query) if raw else None
    if not state.bus.is_connected:
        raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "the bus is away, so no job can be accepted; try again shortly")
    upload = _new_upload(state)
    try:
        if early is not None:
            await upload.take_raw(request, query.filename)
            submission = early
        else:
            submission = await _take_form(request, state, query, upload)
    except BaseException:
        await upload.drop()
        raise
    answer = await _begin(state, upload, submission)
    response.headers["Location"] = f"/v1/jobs/{answer.job_id}"
    return answer


def _new_upload(state: ApiState) -> Upload:
    settings = state.settings
    return Upload(
        store=state.store,
        job_id=new_job_id(time_ms=int(state.clock.now().timestamp() * 1000)),
        max_bytes=settings.max_upload_bytes,
        idle_s=settings.upload_idle_s,
        max_field_bytes=settings.max_field_bytes,
    )


def _check(state: ApiState, fields: SubmitFields) -> Submission:
    return checked(fields, state.catalog, max_options_bytes=state.settings.max_options_bytes)


async def _take_form(request: Request, state: ApiState, query: SubmitFields, upload: Upload) -> Submission:
    def refuse_early(so_far: dict[str, list[str]]) -> None:
        fields = merged(query, form_fields(so_far))
        if fields.plugin_id is not None and fields.tool:
            _check(state, fields)

    await upload.take_form(request, before_file=refuse_early)
    return _check(state, merged(query, form_fields(upload.fields)))


async def _begin(state: ApiState, upload: Upload, submission: Submission) -> Submitted:
    """Create the record and publish the work; from the record on the job exists, whatever happens."""
    assert upload.media is not None  # noqa: S101  an upload without media was refused
    job_id = upload.job_id
    record = submission.record(job_id, upload.media, state.clock.now())
    # When this fails the write may still have landed, so the media stays: the orphan sweep judges later.
    stored = await state.bus.jobs.create(record)
    state.projection.apply(job_id, stored.record, stored.revision)
    log.info(
        "job accepted", job_id=job_id, plugin=submission.plugin, tools=submission.tools, bytes=upload.media.size_bytes
    )
    await _publish(state, job_id, submission)
    return Submitted(
        job_id=job_id,
        plugin=submission.plugin,
        plugin_id=submission.plugin,
        tool=submission.tools[0],
        tools=submission.tools,
        submitted_at=record.created_at,
    )


async def _publish(state: ApiState, job_id: JobId, submission: Submission) -> None:
    try:
        await state.bus.work.publish(job_id, submission.plugin, submission.device)
    except Exception:  # an HTTP border: the record exists, so whatever the queue did, the answer is 202
        log.warning("work not published, the reconciler will send it", job_id=job_id, exc_info=True)

"""GET /v1/jobs/{job_id}/result: rows as a document, as JSON lines or as CSV, or the video with the boxes drawn in.

Rows are streamed from the store, never more than one batch in memory; the video is made when it is first requested.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from forgesyte_chassis.store.blobs import BlobMissing
from forgesyte_chassis.store.ended_jobs import result_header
from forgesyte_chassis.store.segments import read_rows
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import ResultDocument
from forgesyte_contracts.subjects import annotated_blob
from forgesyte_job_api.openapi.examples import CSV, JSON_LINES, RESULT
from forgesyte_job_api.openapi.route_docs import BINARY, PLAYABLE_PROBLEMS, problem_responses, range_problem
from forgesyte_job_api.results.byteranges import Offered, blob_response, disposition
from forgesyte_job_api.results.csvrows import csv_header, csv_lines
from forgesyte_job_api.results.making import DESCRIBED, making_response, wants_no_wait
from forgesyte_job_api.results.workshop import Underway
from forgesyte_job_api.state import PathJobId, State

router = APIRouter(tags=["results"])

STATUS_HEADER = "X-Job-Status"
"""Has the job's status, for formats that have no place for it."""

_BATCH_BYTES = 64 * 1024


class ResultFormat(StrEnum):
    """The formats of a result."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MP4 = "mp4"


_MEDIA_TYPES = {
    ResultFormat.JSON: "application/json",
    ResultFormat.JSONL: "application/jsonl",
    ResultFormat.CSV: "text/csv",
    ResultFormat.MP4: "video/mp4",
}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_BYTES: dict[str, Any] = {"schema": BINARY}


@router.get(
    "/v1/jobs/{job_id}/result",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The result document; its rows as JSON lines, for an unfinished job the rows so far; its "
            "detections as CSV; or the input with the boxes drawn in as MP4, which is made on the first request.",
            "model": ResultDocument,
            "content": {
                "application/json": {"example": RESULT},
                "application/jsonl": {**_TEXT, "example": JSON_LINES},
                "text/csv": {**_TEXT, "example": CSV},
                "video/mp4": _BYTES,
            },
            "headers": {STATUS_HEADER: {"description": "The job's status.", "schema": {"type": "string"}}},
        },
        202: DESCRIBED,
        206: {"description": "The part of the MP4 that `Range` asked for.", "content": {"video/mp4": _BYTES}},
        304: {"description": "The client's copy of the MP4, named by `If-None-Match`, is still right."},
        416: range_problem("The MP4"),
        **problem_responses(*PLAYABLE_PROBLEMS, Code.JOB_UNFINISHED),
    },
)
@router.head("/v1/jobs/{job_id}/result", include_in_schema=False)
async def get_result(
    request: Request,
    state: State,
    job_id: PathJobId,
    format: Annotated[  # noqa: A002  the parameter's public name
        ResultFormat,
        Query(
            description="One document; one row per line; one detection per line; or the video with the boxes drawn in.",
            examples=["jsonl"],
        ),
    ] = ResultFormat.JSON,
    from_frame: Annotated[int, Query(ge=0, description="First frame_index to return; not for mp4.", examples=[0])] = 0,
    limit: Annotated[
        int | None, Query(ge=1, description="Most rows (frames) to return; not for mp4.", examples=[20])
    ] = None,
    prefer: Annotated[
        str | None,
        Header(
            description="`respond-async`: 202 at once while the mp4 is made, instead of waiting for it.",
            examples=["respond-async"],
        ),
    ] = None,
) -> Response:
    """Return what a job found; for a failed or cancelled one the rows so far, with its status."""
    record = await state.find(job_id)
    if format is not ResultFormat.JSONL and not record.is_terminal:
        raise ForgeSyteError(
            Code.JOB_UNFINISHED,
            f"job {job_id} is {record.status.value}; wait until it has ended, or get the rows so far with format=jsonl",
            job_id=job_id,
        )
    headers = {STATUS_HEADER: record.status.value}
    if format is ResultFormat.MP4:
        if from_frame or limit is not None:
            text = "from_frame and limit select rows; format=mp4 is the whole video, of which Range selects a part"
            raise ForgeSyteError(Code.REQUEST_INVALID, text, field="from_frame" if from_frame else "limit")
        is_async = wants_no_wait(prefer)
        answer = await _video(request, state, job_id, record, waits=not is_async)
        answer.headers.update(headers | ({"Preference-Applied": "respond-async"} if is_async else {}))
        return answer
    rows = await _opened(read_rows(state.store, record, from_frame=from_frame, limit=limit), job_id)
    if format is ResultFormat.CSV:
        headers["Content-Disposition"] = disposition(_name(record, ".csv"), is_shown=False)
    if request.method == "HEAD":
        async with aclosing(rows):
            await anext(rows, None)  # a generator that has not begun closes nothing
        return StreamingResponse(iter(()), headers=headers, media_type=_MEDIA_TYPES[format])  # its length is unknown
    body = _body(format, record, rows)
    return StreamingResponse(_batched(body), media_type=_MEDIA_TYPES[format], headers=headers)


async def _video(request: Request, state: State, job_id: JobId, record: JobRecord, *, waits: bool) -> Response:
    if waits:
        size = await state.annotated.wait_for(record)
    else:
        asked = await state.annotated.ask_for(record)
        if isinstance(asked, Underway):
            return making_response(job_id, asked)
        size = asked
    video = Offered(annotated_blob(job_id), size, _MEDIA_TYPES[ResultFormat.MP4], _name(record, "-annotated.mp4"))
    return blob_response(request, state.store, video)


def _name(record: JobRecord, ending: str) -> str:
    """Return under which name a result is saved: that of the media, or the job's id where it had none."""
    return (PurePath(record.input.filename or "").stem or record.job_id) + ending


async def _opened(rows: AsyncIterator[bytes], job_id: JobId) -> AsyncGenerator[bytes]:
    """Read the first row now, while a fault can still become a problem document instead of a truncated answer."""
    try:
        first = await anext(rows, None)
    except BlobMissing as error:
        text = f"the rows of job {job_id} are no longer there"
        raise ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=job_id) from error

    async def all_rows() -> AsyncGenerator[bytes]:
        if first is not None:
            yield first
            async for row in rows:
                yield row

    return all_rows()


def _body(wanted: ResultFormat, record: JobRecord, rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    if wanted is ResultFormat.JSON:
        return _document(record, rows)
    return _lines(rows) if wanted is ResultFormat.JSONL else _csv(record, rows)


async def _lines(rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rows):
        async for row in rows:
            yield row + b"\n"


async def _csv(record: JobRecord, rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Convert in a thread, a batch at a time: it would hold up the event loop for too long."""
    yield csv_header()
    batch: list[bytes] = []
    held = 0
    async with aclosing(rows):
        async for row in rows:
            batch.append(row)
            held += len(row)
            if held >= _BATCH_BYTES:
                yield await asyncio.to_thread(csv_lines, batch, record.tools)
                batch, held = [], 0
    if batch:
        yield await asyncio.to_thread(csv_lines, batch, record.tools)


async def _document(record: JobRecord, rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    header = result_header(record).model_dump_json().encode()
    yield header[:-1] + b',"truncated":false,"frames":['
    separator = b"\n"
    async with aclosing(rows):
        async for row in rows:
            yield separator + row
            separator = b",\n"
    yield b"]}\n"


async def _batched(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Send rows in batches: one send per row would cost more than reading it."""
    batch = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            batch += piece
            if len(batch) >= _BATCH_BYTES:
                yield bytes(batch)
                batch.clear()
    if batch:
        yield bytes(batch)

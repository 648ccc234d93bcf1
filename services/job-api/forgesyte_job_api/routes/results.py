"""GET /v1/jobs/{job_id}/result: rows streamed from the store, in memory never more than one batch of them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from forgesyte_chassis.segments import read_rows
from forgesyte_contracts.jobs import JobRecord
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.results import ResultDocument
from forgesyte_job_api.state import PathJobId, State
from forgesyte_job_api.views import result_header
from forgesyte_job_api.wire import problem_responses

router = APIRouter(tags=["results"])

STATUS_HEADER = "X-Job-Status"
"""Tells the job's status beside rows that have no place for it."""

_BATCH_BYTES = 64 * 1024
_JSON = "application/json"
_JSON_LINES = "application/jsonl"


@router.get(
    "/v1/jobs/{job_id}/result",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The result document, or its rows as JSON lines; of an unfinished job the rows so far.",
            "model": ResultDocument,
            "content": {_JSON_LINES: {"schema": {"type": "string"}}},
            "headers": {STATUS_HEADER: {"description": "The job's status.", "schema": {"type": "string"}}},
        },
        **problem_responses(
            Code.KEY_MISSING,
            Code.KEY_REFUSED,
            Code.JOB_UNKNOWN,
            Code.JOB_UNFINISHED,
            Code.REQUEST_INVALID,
            Code.SERVICE_UNAVAILABLE,
        ),
    },
)
async def get_result(
    state: State,
    job_id: PathJobId,
    format: Annotated[Literal["json", "jsonl"], Query(description="One document, or a row a line.")] = "json",  # noqa: A002  the parameter's public name
    from_frame: Annotated[int, Query(ge=0, description="First frame_index to give.")] = 0,
    limit: Annotated[int | None, Query(ge=1, description="At most so many rows.")] = None,
) -> StreamingResponse:
    """Give the rows of a job; of a failed or cancelled one those it got, with the status beside them."""
    record = await state.find(job_id)
    if format == "json" and not record.is_terminal:
        raise ForgeSyteError(
            Code.JOB_UNFINISHED,
            f"job {job_id} is {record.status.value}; wait for its end, or take the rows so far with format=jsonl",
            job_id=job_id,
        )
    rows = await _opened(read_rows(state.store, record, from_frame=from_frame, limit=limit))
    body, media_type = (_document(record, rows), _JSON) if format == "json" else (_lines(rows), _JSON_LINES)
    return StreamingResponse(_batched(body), media_type=media_type, headers={STATUS_HEADER: record.status.value})


async def _opened(rows: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Read the first row now, while a fault can still become a problem document instead of a torn answer."""
    first = await anext(rows, None)

    async def all_rows() -> AsyncGenerator[bytes]:
        if first is not None:
            yield first
            async for row in rows:
                yield row

    return all_rows()


async def _lines(rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rows):
        async for row in rows:
            yield row + b"\n"


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
    """Send rows in batches: a send a row would cost more than reading it."""
    batch = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            batch += piece
            if len(batch) >= _BATCH_BYTES:
                yield bytes(batch)
                batch.clear()
    if batch:
        yield bytes(batch)

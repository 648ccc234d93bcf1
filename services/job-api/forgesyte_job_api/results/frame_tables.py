"""Frame tables as answers: JSON or the binary form, whatever video the times are of."""

import asyncio
from http import HTTPStatus

import orjson
from fastapi import Request, Response

from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_contracts.http.frame_table import (
    FRAMES_TYPE,
    PIXEL_ASPECT,
    FrameTableHead,
    TableOf,
    encode_frame_table,
)
from forgesyte_contracts.jobs import DecodeFacts, JobRecord, JobStatus

from .byteranges import has_copy

JSON_TYPE = "application/json"
_TURNS = (90, 180, 270)
_BATCH = 16_384


def table_head(record: JobRecord, of: TableOf = TableOf.INPUT) -> FrameTableHead:
    """Return what a table says of the video that a job decodes; facts that no decoder finds are left out."""
    decode = record.decode or DecodeFacts()
    pixel_aspect = decode.pixel_aspect or ""
    return FrameTableHead(
        job_id=record.job_id,
        of=of,
        attempt=record.attempt,
        complete=record.status is JobStatus.COMPLETED,
        width=decode.width or 0,
        height=decode.height or 0,
        rotation=decode.rotation if decode.rotation in _TURNS else 0,
        pixel_aspect=pixel_aspect if PIXEL_ASPECT.fullmatch(pixel_aspect) else None,
    )


async def table_response(request: Request, head: FrameTableHead, times: FrameTimes, *, is_final: bool) -> Response:
    """Return a table in the form that the request accepts.

    Args:
        request: whose `Accept` and `If-None-Match` decide.
        head: what the table says of the video.
        times: the part of it that was asked for.
        is_final: whether the same request is always answered so from now on; the answer then has an ETag.
    """
    is_binary = accepts_binary(request.headers.get("accept", ""))
    headers = {"Vary": "Accept", "Cache-Control": "private, no-cache"}
    if is_final:
        headers["ETag"] = _etag(head, times, is_binary=is_binary)
        if has_copy(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if is_binary:
        body = await asyncio.to_thread(encode_frame_table, head, times.frame_index, times.time_us)
    else:
        body = await asyncio.to_thread(_json, head, times)
    return Response(body, headers=headers, media_type=FRAMES_TYPE if is_binary else JSON_TYPE)


def accepts_binary(accept: str) -> bool:
    """Whether an `Accept` header names the binary form and likes JSON no better; `*/*` alone means JSON.

    >>> accepts_binary("*/*"), accepts_binary("application/vnd.forgesyte.frames, */*;q=0.1")
    (False, True)
    """
    liked = dict(map(_weighed, accept.split(",")))
    weight = liked.get(FRAMES_TYPE, 0.0)
    return weight > 0 and weight >= liked.get(JSON_TYPE, 0.0)


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (each.strip().lower() for each in part.split(";"))
    for each in parameters:
        if each.startswith("q="):
            try:
                return kind, float(each[2:])
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _json(head: FrameTableHead, times: FrameTimes) -> bytes:
    """Return the table as JSON; batch by batch, since a list of numbers needs ten times the room of an array."""
    pieces = [head.model_dump_json().encode()[:-1]]
    for name, numbers in (("frame_index", times.frame_index), ("time_us", times.time_us)):
        batches = (numbers[begin : begin + _BATCH].tolist() for begin in range(0, len(numbers), _BATCH))
        texts = b",".join(orjson.dumps(batch)[1:-1] for batch in batches)
        pieces.append(b',"%s":[%s]' % (name.encode(), texts))
    return b"".join([*pieces, b"}"])


def _etag(head: FrameTableHead, times: FrameTimes, *, is_binary: bool) -> str:
    """A validator: the frames of an ended job never change, so the job and which of them were asked for say it all."""
    part = f"{times.frame_index[0]}-{len(times)}" if len(times) else "none"
    return f'"{head.job_id}-{head.attempt}-{head.of.value}-{part}-{"binary" if is_binary else "json"}"'

"""How a request is answered while the file that it asks for is made: 202, at once, with how far it is."""

import re
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from forgesyte_contracts.http.making import Making
from forgesyte_contracts.ids import JobId
from forgesyte_job_api.openapi.examples import MAKING

from .workshop import Underway

RETRY_AFTER_S = 1

DESCRIBED: dict[str, Any] = {
    "description": "It is being made, which this request has begun if no other had; ask again after `Retry-After`.",
    "model": Making,
    "content": {"application/json": {"example": MAKING}},
    "headers": {
        "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer"}},
    },
}
"""What OpenAPI says of such an answer."""

_ASYNC = re.compile(r"respond-async", re.IGNORECASE)


def making_response(job_id: JobId, underway: Underway) -> Response:
    """Return 202 with how far the making is."""
    body = Making(job_id=job_id, progress=underway.progress).model_dump(mode="json")
    return JSONResponse(body, 202, {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"})


def wants_no_wait(prefer: str | None) -> bool:
    """Read a `Prefer` header (RFC 7240): whether the client would rather ask again than wait.

    >>> wants_no_wait("return=minimal, Respond-Async; x=1"), wants_no_wait("wait=10"), wants_no_wait(None)
    (True, False, False)
    """
    preferences = (prefer or "").split(",")
    return any(_ASYNC.fullmatch(one.partition(";")[0].strip()) for one in preferences)

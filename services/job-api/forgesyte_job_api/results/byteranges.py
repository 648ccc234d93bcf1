"""Parts of a blob, as HTTP requests them (RFC 9110, ranges): what players need to seek without reading everything.

One range at a time. A header that is malformed, of another unit or with several ranges is ignored, as the RFC allows:
the answer is the whole blob.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from forgesyte_chassis.store.blobs import Store
from forgesyte_chassis.web.security_headers import MEDIA_POLICY

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,100})\s*-\s*(\d{0,100})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Offered:
    """A blob that never changes, as it is served.

    Attributes:
        path: its path in the store.
        size: in bytes.
        media_type: its Content-Type.
        filename: the name under which clients save it.
        is_shown: whether a browser may show it instead of saving it.
    """

    path: str
    size: int
    media_type: str
    filename: str
    is_shown: bool = True

    @property
    def etag(self) -> str:
        """A strong validator: the blobs of a job are written once."""
        return f'"{self.path.replace("/", "-")}-{self.size:x}"'


def range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """Read a Range header against a size in bytes.

    Returns:
        The first byte and the one after the last; None for the whole blob.

    Raises:
        HTTPException: 416, the blob has no such part.

    >>> range_of("bytes=0-99", 1000), range_of("bytes=-1", 1000), range_of("bytes=5-", 8), range_of("lines=1-2", 8)
    ((0, 100), (999, 1000), (5, 8), None)
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size:
        raise HTTPException(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"Range is {(header or '')[:80]!r} but the file has {size} bytes; request a range within the file.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end


def blob_response(request: Request, store: Store, offered: Offered) -> Response:
    """Return a blob, or the requested part of it, as a stream; HEAD gets the headers alone.

    Raises:
        HTTPException: 416, the blob has no such part.
    """
    headers = _headers(offered)
    if has_copy(request.headers.get("if-none-match"), offered.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    wanted = range_of(request.headers.get("range"), offered.size) if _is_range_valid(request, offered) else None
    start, end = wanted or (0, offered.size)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{offered.size}"
    headers["Content-Length"] = str(end - start)
    status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
    if request.method == "HEAD":
        return Response(None, status, headers, offered.media_type)
    return StreamingResponse(_read(store, offered.path, start, end), status, headers, offered.media_type)


def disposition(filename: str, *, is_shown: bool) -> str:
    """Return the Content-Disposition of a file that a browser shows or saves, for clients of every age (RFC 6266)."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in filename)
    kind = "inline" if is_shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _headers(offered: Offered) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "ETag": offered.etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(offered.filename, is_shown=offered.is_shown),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": MEDIA_POLICY,
    }


def _is_range_valid(request: Request, offered: Offered) -> bool:
    """If-Range: a part is served only when the client's copy is of this very blob; a date never proves that here."""
    condition = request.headers.get("if-range")
    return condition is None or condition.strip() == offered.etag


def has_copy(header: str | None, etag: str) -> bool:
    """Whether a client names, in `If-None-Match`, a copy that is still right."""
    known = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return "*" in known or etag in known


async def _read(store: Store, path: str, start: int, end: int) -> AsyncIterator[bytes]:
    pieces = cast("AsyncGenerator[bytes]", store.stream(path, start=start, end=end))
    async with aclosing(pieces):
        async for each in pieces:
            yield each

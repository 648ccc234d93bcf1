"""Serves the built page: its files by their names, and its one document at every address that a person may open.

The page shows its views by itself, so that `/jobs/ID` is answered with the same document as `/`. Programs see nothing
of it: a path outside the route table stays a problem document for all that do not ask for text/html. The files are
looked up at each request, so that a page which is built while the server runs is there at once.
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from forgesyte_chassis.web.security_headers import page_policy

NO_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>ForgeSyte</title>'
    "<p>The server runs, but its page was not built. Run <code>make page</code> in the checkout and load this again; "
    "everything that the page does is also at <code>/v1</code>.</p></html>"
)
"""What a browser is shown where there is no page."""

_DOCUMENT = "index.html"
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
_FILE = re.compile(rf"/((?:{_PART}/){{0,4}}{_PART}\.[a-z0-9]{{1,9}})")
"""No part begins with a dot: neither hidden files nor a way out of the folder can be named."""

_OF_SERVICES = re.compile(r"/(v1|ws|assets)(/.*)?", re.DOTALL)
"""Where a missing address is always a problem, and never the document."""

_FOREVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""By ending, instead of the machine's own table: browsers run no script of another type, and guess none."""


class BuiltPage:
    """Finds what answers a request for a part of the page.

    Args:
        folders: where a page may be; the first that holds one is served.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    async def find(self, scope: Scope) -> ASGIApp | None:
        """Return what answers this GET or HEAD; None if the page has nothing there."""
        if _FILE.fullmatch(scope["path"]) or _is_for_a_person(scope["path"], Headers(scope=scope)):
            return await asyncio.to_thread(self._look_up, scope["path"], Headers(scope=scope))
        return None

    def _look_up(self, path: str, headers: Headers) -> ASGIApp | None:
        folder = next((folder for folder in self._folders if (folder / _DOCUMENT).is_file()), None)
        file = _FILE.fullmatch(path)
        if folder and file and file[1] != _DOCUMENT and (answer := _file_of(folder, file[1], headers)):
            return answer
        if not _is_for_a_person(path, headers):
            return None
        if folder:
            return _file_of(folder, _DOCUMENT, headers)
        return HTMLResponse(NO_PAGE, 404, headers={"Cache-Control": "no-store"}) if path == "/" else None


def _file_of(folder: Path, name: str, headers: Headers) -> ASGIApp | None:
    files = StaticFiles(directory=folder, check_dir=False)
    path, facts = files.lookup_path(name)  # nothing outside the folder, wherever a link leads
    if facts is None or not Path(path).is_file():
        return None
    own = {"Cache-Control": _FOREVER if name.startswith("assets/") else _ASK_AGAIN}
    if name == _DOCUMENT:
        own |= {"Content-Security-Policy": page_policy(headers.get("host", "")), "Vary": "Accept"}
    media_type = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    answer = FileResponse(path, stat_result=facts, media_type=media_type, headers=own)
    if not files.is_not_modified(answer.headers, headers):
        return answer
    # With all headers of its own: a browser puts those of a 304 in the place of those it has kept.
    return Response(status_code=304, headers=own | {"ETag": answer.headers["etag"]})


def _is_for_a_person(path: str, headers: Headers) -> bool:
    return _accepts_html(headers) and not _OF_SERVICES.fullmatch(path)


def _accepts_html(headers: Headers) -> bool:
    """Whether text/html itself is asked for, as browsers do for what a person opens; `*/*` is not enough."""
    for wanted in headers.get("accept", "").lower().split(","):
        kind, *parameters = (part.strip() for part in wanted.split(";"))
        if kind == "text/html" and not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", one) for one in parameters):
            return True
    return False

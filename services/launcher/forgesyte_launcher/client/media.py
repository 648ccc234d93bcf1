"""Chooses the video or the image route for a file: by its name, or by its first bytes when the name does not tell.

This chooses a route only. What the file really is, the server finds out in a sandbox.
"""

import mimetypes
from pathlib import Path

from forgesyte_contracts.jobs import JobKind
from forgesyte_contracts.problems import Code, ForgeSyteError

_IMAGE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
_HEAD_BYTES = 12
_ANY_TYPE = "application/octet-stream"


def kind_of(file: Path) -> JobKind:
    """Return the kind of job for `file`.

    Raises:
        ForgeSyteError: REQUEST_INVALID when the file is empty or cannot be read.
    """
    try:
        with file.open("rb") as handle:
            head = handle.read(_HEAD_BYTES)
    except OSError as error:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"{file} cannot be read: {error.strerror}.") from error
    if not head:
        raise ForgeSyteError(Code.REQUEST_INVALID, f"{file} is empty (0 bytes); choose a video or an image.")
    if file.suffix.lower() in _IMAGE_TYPES:
        return "image"
    is_named_video = (mimetypes.guess_type(file.name)[0] or "").startswith("video/")
    return "image" if not is_named_video and _looks_like_image(head) else "video"


def media_type_of(file: Path, kind: JobKind) -> str:
    """Return the Content-Type to send; the general one when the name does not fit `kind`."""
    if kind == "image":
        return _IMAGE_TYPES.get(file.suffix.lower(), _ANY_TYPE)
    guessed = mimetypes.guess_type(file.name)[0]
    return guessed if guessed and guessed.startswith("video/") else _ANY_TYPE


def _looks_like_image(head: bytes) -> bool:
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*"))

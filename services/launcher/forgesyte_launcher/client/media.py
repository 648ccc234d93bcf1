"""The media of a job as the command reads it: a file, or a stream that can be read only once.

The first bytes choose the video or the image route, whatever the name is. This chooses a route only: what the media
really is, the server finds out in a sandbox.

A stream (standard input, a FIFO, a process substitution) is never waited for in a blocking call, because a thread that
hangs in one could not be ended by Ctrl-C.
"""

import asyncio
import mimetypes
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from forgesyte_contracts.jobs import JobKind
from forgesyte_contracts.problems import Code, ForgeSyteError

STANDARD_INPUT = "-"
CHUNK_BYTES = 1024 * 1024

_HEAD_BYTES = 12
_ANY_TYPE = "application/octet-stream"
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_JPEG_ROW_SUFFIXES = (".mjpeg", ".mjpg")
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
    b"II+\0": "image/tiff",
    b"MM\0+": "image/tiff",
    b"GIF8": _ANY_TYPE,
    b"BM": _ANY_TYPE,
}
_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
_VIDEOS = (b"\x1aE\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba", b"OggS")


@dataclass(frozen=True, slots=True)
class Media:
    """Opened media, with its first bytes already read.

    Attributes:
        name: the last part of its path, printable; `stdin` for standard input.
        kind: what kind of job it is for.
        media_type: the Content-Type to send.
        size_bytes: None for a stream, whose end is not known.
    """

    name: str
    kind: JobKind
    media_type: str
    size_bytes: int | None
    _fd: int
    _head: bytes

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Read all of it, once.

        Raises:
            ForgeSyteError: REQUEST_INVALID when it cannot be read, or a file became shorter meanwhile.
        """
        left, chunk = self.size_bytes, self._head
        while chunk:
            chunk = chunk[:left]
            left = None if left is None else left - len(chunk)
            yield chunk
            chunk = b"" if left == 0 else await _read(self._fd, self.name, CHUNK_BYTES)
        if left:
            raise _refused(self.name, "became shorter while it was read")


@asynccontextmanager
async def open_media(
    where: str, *, kind: JobKind | None = None, on_wait: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Media]:
    """Open media for the block; for a stream this waits until its first bytes are there.

    Args:
        where: a path, or `-` for standard input.
        kind: what it is; None finds it out.
        on_wait: called with the name of a stream before its first bytes are waited for.

    Raises:
        ForgeSyteError: REQUEST_INVALID with the reason, when it is nothing that can be read, or is empty.
    """
    shown = "standard input" if where == STANDARD_INPUT else _printable(where)
    fd = _open(where, shown)
    try:
        facts = os.fstat(fd)
        _require_media(facts.st_mode, shown)
        is_file = stat.S_ISREG(facts.st_mode)
        size_bytes = facts.st_size - os.lseek(fd, 0, os.SEEK_CUR) if is_file else None
        if not is_file:
            on_wait(shown)
        head = b""
        while len(head) < _HEAD_BYTES and (more := await _read(fd, shown, _HEAD_BYTES - len(head))):
            head += more
        if not head:
            raise _refused(shown, "is empty (0 bytes); choose a video or an image")
        name = "stdin" if where == STANDARD_INPUT else _printable(Path(where).name)
        found = kind or kind_of(head, name)
        yield Media(name, found, media_type_of(head, name, found), size_bytes, fd, head)
    finally:
        os.close(fd)


def kind_of(head: bytes, name: str) -> JobKind:
    """Return the kind of job for media that begins with `head`; where that says nothing, the name does.

    Nor does it for a JPEG: a camera's motion JPEG begins like one too.
    """
    if image_type := _image_type(head):
        return "video" if image_type == "image/jpeg" and name.lower().endswith(_JPEG_ROW_SUFFIXES) else "image"
    is_video = head.startswith(_VIDEOS) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    return "image" if not is_video and name.lower().endswith(_IMAGE_SUFFIXES) else "video"


def media_type_of(head: bytes, name: str, kind: JobKind) -> str:
    """Return the Content-Type to send: of an image by its first bytes, of a video by its name."""
    if kind == "image":
        return _image_type(head) or _ANY_TYPE
    guessed = mimetypes.guess_type(name)[0]
    return guessed if guessed and guessed.startswith("video/") else _ANY_TYPE


def _image_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS:
        return _ANY_TYPE
    return next((media_type for prefix, media_type in _IMAGES.items() if head.startswith(prefix)), None)


def _printable(path: str) -> str:
    text = os.fsencode(path).decode(errors="replace")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _open(where: str, shown: str) -> int:
    try:
        if where == STANDARD_INPUT:
            return os.dup(0)
        _require_media(Path(where).stat().st_mode, shown)  # opening a device may already do something
        return os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _refused(shown, "does not exist") from None
    except OSError as error:
        raise _refused(shown, f"cannot be read: {error.strerror}") from error


def _require_media(mode: int, shown: str) -> None:
    if stat.S_ISDIR(mode):
        raise _refused(shown, "is a folder; name one video or image")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        text = "is a terminal or another device; name a file, or pipe a video or an image into `forgesyte run -`"
        raise _refused(shown, text)


async def _read(fd: int, shown: str, size: int) -> bytes:
    """Read the next bytes, at most `size`; none at the end. A cancellation ends the wait for a stream at once."""
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return await asyncio.to_thread(os.read, fd, size)
        while True:
            await _until_readable(fd)
            try:
                return os.read(fd, size)
            except BlockingIOError:  # another reader was faster
                continue
    except OSError as error:
        raise _refused(shown, f"cannot be read: {error.strerror}") from error


async def _until_readable(fd: int) -> None:
    """Wait for bytes or the end of a stream; that of a FIFO does not come before a first writer has opened it."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(fd, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(fd)


def _refused(shown: str, why: str) -> ForgeSyteError:
    return ForgeSyteError(Code.REQUEST_INVALID, f"{shown} {why}.")

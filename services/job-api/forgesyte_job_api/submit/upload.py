"""Streams the media of a submit from the socket into the store: never whole in memory, never in a second place.

Two ways: the raw body, or a form with one file part. The blob is named after the job's id before the job exists; the
caller removes it if no job is made. What the probe needs is kept in scratch while the media passes.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from starlette.requests import Request

from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import InputFacts
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob

from .mediakind import MediaKind
from .multipart import PartStart, read_form
from .upload_sample import Sample, SampledFile

RAW = "raw"
FORM = "form"
_FORM_OVERHEAD_BYTES = 1024 * 1024
_MAX_NAME_CHARS = 255
_MAX_TYPE_CHARS = 100

BeforeFile = Callable[[dict[str, list[str]]], None]
"""Called with the text fields that came before the file; raises to refuse the file."""


class UploadStalled(ForgeSyteError):
    """The client stopped sending in the middle of an upload."""


def media_type_of(request: Request) -> str:
    """Return the request's media type without parameters, in lower case; empty when it has none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def form_of(request: Request, kind: MediaKind) -> str:
    """Return how media of this kind is sent, by the request's Content-Type: RAW or FORM.

    Raises:
        ForgeSyteError: MEDIA_INVALID for any other type.
    """
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        return FORM
    if kind.takes(media_type):
        return RAW
    raise ForgeSyteError(Code.MEDIA_INVALID, f"Content-Type is {media_type[:80] or 'missing'}; {kind.how_to_send}")


def refuse_announced_size(request: Request, kind: MediaKind, max_bytes: int) -> None:
    """Refuse a body whose announced length is over the limit before a byte of it is read.

    Raises:
        ForgeSyteError: MEDIA_TOO_LARGE with both numbers.
    """
    announced = announced_bytes(request)
    allowed = max_bytes if form_of(request, kind) == RAW else max_bytes + _FORM_OVERHEAD_BYTES
    if announced > allowed:
        raise ForgeSyteError(
            Code.MEDIA_TOO_LARGE, f"the upload has {announced} bytes, but at most {max_bytes} are allowed"
        )


def announced_bytes(request: Request) -> int:
    """Return the announced length of the body in bytes; 0 when none is announced."""
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdecimal() else 0


@dataclass(slots=True)
class Upload:
    """One upload: the media goes into the store, and both its ends into the sample.

    `received` is called with the size of each piece of the body. `media` is None until a file has arrived; `fields`
    holds the text fields of a form in the order in which they arrived.
    """

    store: Store
    job_id: JobId
    kind: MediaKind
    sample: Sample
    max_bytes: int
    idle_s: float
    max_field_bytes: int
    received: Callable[[int], None] = lambda _size_bytes: None
    media: InputFacts | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)

    async def take_raw(self, request: Request, filename: str | None) -> None:
        """Stream the whole body into the store.

        Raises:
            ForgeSyteError: MEDIA_TOO_LARGE, MEDIA_INVALID for an empty body, UploadStalled.
            ClientDisconnect: the client disconnected in the middle.
        """
        async with aclosing(self._body(request)) as chunks:
            await self._put(chunks, filename, media_type_of(request))

    async def take_form(self, request: Request, *, before_file: BeforeFile) -> None:
        """Stream the media part of a form into the store and collect its other fields.

        Args:
            request: the request.
            before_file: called with the fields that came before the file, so that a wrong plugin is refused before
                gigabytes are read.

        Raises:
            ForgeSyteError: MEDIA_TOO_LARGE, MEDIA_INVALID for an empty file, REQUEST_INVALID, UploadStalled.
            ClientDisconnect: the client disconnected in the middle.
        """

        async def take_file(part: PartStart, data: AsyncGenerator[bytes]) -> None:
            if part.name not in self.kind.parts:
                raise self._wrong_part(f"found a file in form field {part.name[:80]!r}")
            if self.media is not None:
                raise self._wrong_part("found more than one file")
            before_file(self.fields)
            await self._put(data, part.filename, part.media_type)

        async with aclosing(self._body(request)) as chunks:
            form = read_form(
                chunks,
                request.headers["content-type"],
                is_file=lambda part: part.name in self.kind.parts or part.filename is not None,
                take_file=take_file,
                max_field_bytes=self.max_field_bytes,
            )
            async with aclosing(form) as texts:
                async for name, text in texts:
                    self.fields.setdefault(name, []).append(text)
        if self.media is None:
            raise self._wrong_part("found no file")

    async def sampled(self) -> SampledFile:
        """Return both ends of the media, once it has arrived."""
        return await self.sample.finish()

    async def drop(self) -> None:
        """Remove what was stored, because no job is made of it.

        Call it also when nothing seems to be stored: a put that was cancelled in its last step may have left the blob.
        """
        await self.store.delete(input_blob(self.job_id))

    async def _put(self, chunks: AsyncGenerator[bytes], filename: str | None, media_type: str | None) -> None:
        path = input_blob(self.job_id)
        async with aclosing(self.sample.copying(chunks)) as copied:
            size = await self.store.put_stream(path, copied, max_bytes=self.max_bytes)
        announced = (media_type or "")[:_MAX_TYPE_CHARS] or None
        self.media = InputFacts(filename=_clean_name(filename), size_bytes=size, media_type=announced)
        if size == 0:
            raise ForgeSyteError(Code.MEDIA_INVALID, f"the upload is empty (0 bytes); {self.kind.how_to_send}")

    async def _body(self, request: Request) -> AsyncGenerator[bytes]:
        async with aclosing(request.stream()) as stream:
            while True:
                try:
                    async with asyncio.timeout(self.idle_s):
                        chunk = await anext(stream)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    text = f"no data arrived for {self.idle_s:g} s, so the upload was abandoned; send it again"
                    raise UploadStalled(Code.REQUEST_INVALID, text) from None
                if chunk:
                    self.received(len(chunk))
                    yield chunk

    def _wrong_part(self, what: str) -> ForgeSyteError:
        name = self.kind.name
        text = f"{what}; expected exactly one file, in form field `{name}`"
        return ForgeSyteError(Code.REQUEST_INVALID, text, field=name)


def _clean_name(name: str | None) -> str | None:
    """Keep the last part of a path, without unprintable characters: it is shown to people, never opened."""
    if name is None:
        return None
    last = re.split(r"[\\/]", name)[-1]
    return "".join(char for char in last if char.isprintable())[:_MAX_NAME_CHARS] or None

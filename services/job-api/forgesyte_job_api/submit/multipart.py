"""Reads multipart forms as a stream: the media part is passed on while it arrives, nothing is spooled.

python-multipart's push parser calls back for each piece; here the callbacks become events that are pulled, so at most
one network chunk is held and a slow store slows the client down. Rejected: UploadFile (writes the whole file to
a temporary place first) and a queue between a parser task and the store (one more task, and the same bound).
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from forgesyte_contracts.problems import Code, ForgeSyteError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MAX_PARTS = 64


@dataclass(slots=True)
class PartStart:
    """The head of a part: its field name, its file name if it is a file, its media type as the client sent it."""

    name: str = ""
    filename: str | None = None
    media_type: str | None = None


@dataclass(slots=True)
class _PartData:
    data: bytes


@dataclass(slots=True)
class _PartEnd:
    pass


_Event = PartStart | _PartData | _PartEnd
TakeFile = Callable[[PartStart, AsyncGenerator[bytes]], Awaitable[None]]
"""Receives one file part; must read its bytes to the end or raise."""


@dataclass(slots=True)
class _Events:
    """Collects the parser's callbacks while one chunk is pushed into it."""

    waiting: deque[_Event] = field(default_factory=deque)
    is_complete: bool = False
    parts: int = 0
    _headers: dict[str, str] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": lambda data, start, end: self.waiting.append(_PartData(data[start:end])),
            "on_part_end": lambda: self.waiting.append(_PartEnd()),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self.parts += 1
        if self.parts > _MAX_PARTS:
            raise _invalid(f"the form has more than {_MAX_PARTS} parts")
        self._headers = {}

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, facts = parse_options_header(self._headers.get("content-disposition", "").encode())
        if b"name" not in facts:
            raise _invalid("a part of the form has no name")
        filename = facts.get(b"filename")
        self.waiting.append(
            PartStart(
                name=facts[b"name"].decode("utf-8", "replace"),
                filename=None if filename is None else filename.decode("utf-8", "replace"),
                media_type=self._headers.get("content-type"),
            )
        )

    def _end(self) -> None:
        self.is_complete = True


async def read_form(
    chunks: AsyncIterable[bytes],
    content_type: str,
    *,
    is_file: Callable[[PartStart], bool],
    take_file: TakeFile,
    max_field_bytes: int,
) -> AsyncGenerator[tuple[str, str]]:
    """Read a form to its end: yield text fields as they arrive, and pass file parts to `take_file`.

    Args:
        chunks: the body.
        content_type: the request's Content-Type with its boundary.
        is_file: says which parts are files.
        take_file: receives such a part.
        max_field_bytes: the limit of a text field in bytes.

    Raises:
        ForgeSyteError: REQUEST_INVALID when the body is not a complete form or a field is too large.
    """
    async with aclosing(_events(chunks, content_type)) as events:
        async for event in events:
            if not isinstance(event, PartStart):
                continue
            if is_file(event):
                async with aclosing(_part_bytes(events)) as data:
                    await take_file(event, data)
            else:
                yield event.name, await _text(event.name, events, max_field_bytes)


async def _events(chunks: AsyncIterable[bytes], content_type: str) -> AsyncGenerator[_Event]:
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _invalid("Content-Type multipart/form-data has no boundary")
    collected = _Events()
    try:
        parser = MultipartParser(boundary, collected.callbacks())
        async for chunk in chunks:
            parser.write(chunk)
            while collected.waiting:
                yield collected.waiting.popleft()
    except FormParserError as error:
        raise _invalid(f"the body is not a multipart form: {error}") from None
    if not collected.is_complete:
        raise _invalid("the form ends before its last boundary; was the upload cut off?")


async def _part_bytes(events: AsyncGenerator[_Event]) -> AsyncGenerator[bytes]:
    async for event in events:
        if isinstance(event, _PartEnd):
            return
        if isinstance(event, _PartData):
            yield event.data


async def _text(name: str, events: AsyncGenerator[_Event], max_bytes: int) -> str:
    text = bytearray()
    async for data in _part_bytes(events):
        text += data
        if len(text) > max_bytes:
            raise _invalid(f"form field {name[:80]} is larger than {max_bytes} bytes")
    return text.decode("utf-8", "replace")


def _invalid(what: str) -> ForgeSyteError:
    return ForgeSyteError(Code.REQUEST_INVALID, what)

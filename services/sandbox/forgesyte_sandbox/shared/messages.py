"""What the two sides send each other, as typed values, and their form on the pipe.

Bodies are JSON. A row is two JSON texts with a line feed between them, so that its bytes reach the store unchanged; a
preview is a picture after such a head. The parent trusts nothing: unknown kinds, wrong types, rows that are no objects
or are nested too deeply are refused.
Rejected: pickle (runs code), protobuf (rows would be encoded twice).
"""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from forgesyte_contracts.problems import Code

MAX_ROW_DEPTH = 128
_ABOUT_THE_ORDER = (
    Code.OPTIONS_INVALID, Code.REQUEST_INVALID, Code.TOOL_UNKNOWN, Code.MEDIA_INVALID, Code.MEDIA_TOO_LARGE,
)  # fmt: skip
MAX_CLASSES = 1000
SPEC = b"S"
GO = b"G"
_ROW = b"R"
_PREVIEW = b"P"
MAX_PREVIEW_BYTES = 256 * 1024
_JPEG_BEGINS = b"\xff\xd8"

MAX_TIME_US = 2**53 - 1
"""The latest time of a frame on its container's timeline, in microseconds: JSON and JavaScript keep it exactly."""

TimeUs = Annotated[int, Field(ge=-MAX_TIME_US, le=MAX_TIME_US)]

MAX_COUNT = 1_000_000_000
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Announced = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number that a file states about itself; it is never used in a sum."""

Clock = Literal["pts", "best_effort", "counted"]
"""By which rule frames got their times, as `decode.clock` says it."""

Severity = Literal["low", "medium", "high"]
"""How much a warning matters: the values of contracts.warnings.Severity, as the plain text that crosses the pipe."""


class ProtocolError(Exception):
    """The other side sent something that the protocol does not allow; the text says what."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plugin is loaded; the child waits for the parent to lower the memory limit and send GO."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first frame is decoded. Sizes in upright pixels; rotation: degrees clockwise that made it upright.

    estimated_total is what the container suggests; total is exact, or None while it is unknown. fps is the announced
    rate; the rest is said in the words of DecodeFacts.
    """

    codec: str
    width: Count
    height: Count
    fps: float | None = None
    rotation: int = 0
    estimated_total: Announced | None = None
    total: Announced | None = None
    clock: Clock | None = None
    video_stream: Count | None = None
    color: str | None = None
    pixel_aspect: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One frame's row: `data` is one JSON object without line feeds, ready to be stored.

    `time_us` is when the frame is shown on the container's timeline, in microseconds; an image is shown at 0.
    """

    frame_index: Count
    data: bytes
    detections: Count = 0
    classes: dict[str, Count] = field(default_factory=dict)
    time_us: TimeUs = 0


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the word the contract uses; it is always named as messages.Warning
    """Something the user should know; the run continues."""

    text: str
    frame_index: Count | None = None
    severity: Severity = "medium"


@dataclass(frozen=True, slots=True)
class Timings:
    """process: each tool's latest process_frame in ms; stages: decode, process, encode, ms summed over the run.

    estimated_total: how many frames there may be, as far as that can be told by now; None says nothing new.
    """

    process: dict[str, float] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    estimated_total: Announced | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A frame as a small picture for clients that watch; may be lost, and is sent after its row.

    `jpeg` begins as a JPEG does, and the parent looks no further into it; `width` and `height` are the frame's.
    """

    frame_index: Count
    jpeg: bytes
    width: Count
    height: Count


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the work is done, in percent; of programs that make a file, a few times a second."""

    percent: Annotated[int, Field(ge=0, le=100)]


@dataclass(frozen=True, slots=True)
class Finished:
    """The program's end and result. The job program's: DecodeFacts' fields, `rows`, `total_frames`."""

    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """An exception, flattened to text; `oom` when memory was refused, `disk` when a file could not grow."""

    code: Code
    error_type: str
    error: str
    traceback: str = ""
    frame: Count | None = None
    oom: bool = False
    disk: bool = False
    result: dict[str, Any] | None = None

    @property
    def is_about_the_order(self) -> bool:
        """Whether the order is to blame, and no plugin."""
        return self.code in _ABOUT_THE_ORDER


Message = Started | Row | Warning | Timings | Preview | Progress | Finished
"""What a caller's on_message receives."""
AnyMessage = Message | Loaded | Failed


@dataclass(frozen=True, slots=True)
class _RowHead:
    frame_index: Count
    time_us: TimeUs
    detections: Count
    classes: Annotated[dict[str, Count], Field(max_length=MAX_CLASSES)]


@dataclass(frozen=True, slots=True)
class _PreviewHead:
    frame_index: Count
    width: Count
    height: Count


_KINDS: dict[type[Any], bytes] = {
    Loaded: b"L", Started: b"B", Warning: b"W", Timings: b"T", Progress: b"D", Finished: b"F", Failed: b"E",
}  # fmt: skip
_READERS: dict[bytes, TypeAdapter[Any]] = {kind: TypeAdapter(model) for model, kind in _KINDS.items()}
_ROW_HEAD = TypeAdapter(_RowHead)
_PREVIEW_HEAD = TypeAdapter(_PreviewHead)


def encode(message: AnyMessage) -> tuple[bytes, bytes]:
    """Return kind and body of a message."""
    if isinstance(message, Row):
        head = {
            "frame_index": message.frame_index,
            "time_us": message.time_us,
            "detections": message.detections,
            "classes": message.classes,
        }
        return _ROW, orjson.dumps(head) + b"\n" + message.data
    if isinstance(message, Preview):
        size = {"frame_index": message.frame_index, "width": message.width, "height": message.height}
        return _PREVIEW, orjson.dumps(size) + b"\n" + message.jpeg
    return _KINDS[type(message)], orjson.dumps(asdict(message))


def decode(kind: bytes, body: bytes) -> AnyMessage:
    """Read a message that came from a child.

    Raises:
        ProtocolError: an unknown kind, or a body that is not what the kind promises.
    """
    if kind == _ROW:
        return _decode_row(body)
    if kind == _PREVIEW:
        return _decode_preview(body)
    reader = _READERS.get(kind)
    if reader is None:
        raise ProtocolError(f"expected a known kind of message, found {kind!r}")
    try:
        message: AnyMessage = reader.validate_json(body)
    except ValidationError as error:
        raise ProtocolError(f"message {kind!r} is broken: {error.error_count()} errors, {_first(error)}") from None
    return message


def _decode_row(body: bytes) -> Row:
    head_text, _, data = body.partition(b"\n")
    try:
        head = _ROW_HEAD.validate_json(head_text)
        row = orjson.loads(data)
    except ValidationError as error:
        raise ProtocolError(f"a row's head is broken: {_first(error)}") from None
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a row is not JSON: {error}") from None
    if not isinstance(row, dict) or row.get("frame_index") != head.frame_index or b"\n" in data:
        raise ProtocolError("a row must be one JSON object on one line with the frame_index of its head")
    if _is_deeper(data, row, MAX_ROW_DEPTH):
        raise ProtocolError(f"a row is nested deeper than {MAX_ROW_DEPTH} levels")
    return Row(head.frame_index, data, head.detections, head.classes, head.time_us)


def _decode_preview(body: bytes) -> Preview:
    head_text, _, jpeg = body.partition(b"\n")
    try:
        head = _PREVIEW_HEAD.validate_json(head_text)
    except ValidationError as error:
        raise ProtocolError(f"a preview's head is broken: {_first(error)}") from None
    if len(jpeg) > MAX_PREVIEW_BYTES or not jpeg.startswith(_JPEG_BEGINS):
        text = f"a preview must be a JPEG of at most {MAX_PREVIEW_BYTES} bytes"
        raise ProtocolError(f"{text}, found {len(jpeg)} bytes that begin with {jpeg[:2]!r}")
    return Preview(head.frame_index, jpeg, head.width, head.height)


def _is_deeper(data: bytes, value: object, limit: int) -> bool:
    # Most rows have fewer brackets than the limit has levels, and need not be walked.
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: dict[str, Any] | list[Any]) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, dict | list)]


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"[:300]

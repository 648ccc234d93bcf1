"""The nine payloads, letter for letter. A None is sent as null, unless its key is in OPTIONAL: then it is left out."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from forgesyte_contracts.jobs import Moment
from forgesyte_contracts.warnings import Severity

Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
FramesPerSecond = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class MessageType(StrEnum):
    """The `type` of an envelope: one closed set."""

    METADATA = "metadata"
    PROGRESS = "progress"
    PLUGIN_STATUS = "plugin_status"
    FRAME = "frame"
    PARTIAL_RESULT = "partial_result"
    WARNING = "warning"
    ERROR = "error"
    PING = "ping"
    PONG = "pong"


class ProgressStatus(StrEnum):
    """The status of the watched job. A pending job has no progress yet, so it has no status here."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ProgressStage(StrEnum):
    """What the sandbox of a running job is doing: loading until its first frame, then frames, then its last words."""

    STARTING = "starting"
    PROCESSING = "processing"
    FINISHING = "finishing"


class PluginStatus(StrEnum):
    """The plugin's status on this job."""

    STARTED = "started"
    RUNNING = "running"
    DEGRADED = "degraded"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class _Part(BaseModel):
    """The base of all parts: frozen, without unknown keys; keys in `OPTIONAL` are left out when they are None."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    OPTIONAL: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _leave_out(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        whole = handler(self)
        return {name: value for name, value in whole.items() if value is not None or name not in self.OPTIONAL}


class Payload(_Part):
    """The base of the nine payloads; each has its `TYPE`."""

    TYPE: ClassVar[MessageType]


class PluginMetadata(_Part):
    """What a client may show of a plugin. `input_shape` is (height, width, channels) where the plugin fixes one."""

    version: str
    model: str | None = None
    input_shape: tuple[int, ...] | None = None
    output_format: str | None = None
    confidence_default: float | None = None
    capabilities: tuple[str, ...] = ()
    latency_budget_ms: float | None = None


class MetadataPayload(Payload):
    """One plugin; a client gets one such message per plugin when it connects."""

    TYPE = MessageType.METADATA

    plugin: str
    metadata: PluginMetadata


class ProgressPayload(Payload):
    """How far the job is. With a terminal status it is the job's ending and the last message about it.

    `progress` never falls and is 100 only for a completed job; `current_frame` counts the frames done in this attempt.
    """

    TYPE = MessageType.PROGRESS
    OPTIONAL = frozenset({"stage", "fps"})

    job_id: str
    status: ProgressStatus
    progress: Percent | None
    current_frame: Count | None
    total_frames: Count | None
    current_tool: str | None
    tools_total: Count
    tools_completed: Count
    stage: ProgressStage | None = None
    """What the sandbox is doing; only in live messages of a running job."""

    fps: FramesPerSecond | None = None
    """Frames done per second, over the last 2 s; only in live messages, once it is known."""


class PluginStatusPayload(Payload):
    """The plugin's status on the job; `timing_ms` is the latest frame's, summed over its tools."""

    TYPE = MessageType.PLUGIN_STATUS

    job_id: str
    plugin: str
    status: PluginStatus
    timing_ms: Milliseconds | None
    frames_processed: Count
    warnings_count: Count
    device_used: str | None


class Box(_Part):
    """A box in pixels of the upright input; x and y are its top left corner."""

    OPTIONAL = frozenset({"track_id"})

    x: float
    y: float
    width: float
    height: float
    confidence: float | None
    class_: str | int | None = Field(alias="class")
    track_id: int | str | None = None


class FrameData(_Part):
    """A preview: boxes in input pixels, the input's size, and a JPEG as a data URL, possibly smaller than the input."""

    boxes: tuple[Box, ...]
    width: Count
    height: Count
    image: str = Field(pattern=r"^data:image/jpeg;base64,")


class FramePayload(Payload):
    """A frame as the plugin saw it, only for display; at most a few per second."""

    TYPE = MessageType.FRAME

    job_id: str
    frame_id: str
    frame_index: Count
    plugin: str
    data: FrameData
    device_used: str | None
    timing_ms: Milliseconds | None


class PartialRows(_Part):
    """Rows as in the result."""

    rows: tuple[dict[str, Any], ...]


class PartialResultPayload(Payload):
    """The newest rows of a running job; some may be skipped, while the result has them all."""

    TYPE = MessageType.PARTIAL_RESULT

    job_id: str
    plugin: str
    result: PartialRows
    partial: Literal[True] = True


class WarningPayload(Payload):
    """One warning. `index` counts all warnings of the job from 0, so that a client can drop those it has.

    `earlier` stands on the first warning after a gap: so many before it are not sent, because the record keeps only the
    newest.
    """

    TYPE = MessageType.WARNING
    OPTIONAL = frozenset({"frame_index", "earlier"})

    job_id: str
    index: Count
    plugin: str
    message: str
    severity: Severity = Severity.MEDIUM
    frame_index: Count | None = None
    earlier: Annotated[int, Field(ge=1)] | None = None


class ErrorDetails(_Part):
    """`error_code` is one of contracts.problems; `message` is the sentence for the user."""

    OPTIONAL = frozenset({"frame_index"})

    error_code: str
    message: str
    frame_index: Count | None = None


class ErrorPayload(Payload):
    """What went wrong with a job or with a client's message. `error` is the short title of the code."""

    TYPE = MessageType.ERROR
    OPTIONAL = frozenset({"job_id", "plugin"})

    job_id: str | None = None
    error: str
    plugin: str | None = None
    details: ErrorDetails


class PingPayload(Payload):
    """Asks for a pong; the next ping follows in `interval_seconds`."""

    TYPE = MessageType.PING

    interval_seconds: float


class PongPayload(Payload):
    """Answers a ping, with the moment of the answer."""

    TYPE = MessageType.PONG

    timestamp: Moment


PAYLOADS: dict[MessageType, type[Payload]] = {
    kind.TYPE: kind
    for kind in (
        MetadataPayload,
        ProgressPayload,
        PluginStatusPayload,
        FramePayload,
        PartialResultPayload,
        WarningPayload,
        ErrorPayload,
        PingPayload,
        PongPayload,
    )
}

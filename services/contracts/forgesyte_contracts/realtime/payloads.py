"""The nine payloads, letter for letter. A key written with `| None` alone is on the wire as null; one marked optional
is left out when it is not set.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from forgesyte_contracts.jobs import Moment
from forgesyte_contracts.warnings import Severity

Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
    """Where the watched job stands. A pending job has no progress yet, so there is no word for it here."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PluginStatus(StrEnum):
    """How the plugin fares on this job."""

    STARTED = "started"
    RUNNING = "running"
    DEGRADED = "degraded"
    COMPLETED = "completed"
    FAILED = "failed"


class _Part(BaseModel):
    """What all share: frozen, no unknown keys, and the keys named in `OPTIONAL` are left out when they are None."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    OPTIONAL: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _leave_out(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        whole = handler(self)
        return {name: value for name, value in whole.items() if value is not None or name not in self.OPTIONAL}


class Payload(_Part):
    """The root of the nine payloads; each knows its `type`."""

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
    """One plugin; one such message a plugin on connect."""

    TYPE = MessageType.METADATA

    plugin: str
    metadata: PluginMetadata


class ProgressPayload(Payload):
    """How far the job is. With a terminal status it is the job's ending and the last message about it.

    `progress` never falls and is 100 for a completed job alone; `current_frame` counts frames done in this attempt.
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
    stage: str | None = None
    fps: Milliseconds | None = None
    """Frames a second at the moment."""


class PluginStatusPayload(Payload):
    """How the plugin fares: `timing_ms` is the latest frame's, summed over its tools."""

    TYPE = MessageType.PLUGIN_STATUS

    job_id: str
    plugin: str
    status: PluginStatus
    timing_ms: Milliseconds | None
    frames_processed: Count
    warnings_count: Count
    device_used: str | None


class Box(_Part):
    """A box in pixels of the upright input, its corner at the top left."""

    OPTIONAL = frozenset({"track_id"})

    x: float
    y: float
    width: float
    height: float
    confidence: float | None
    class_: str | int | None = Field(alias="class")
    track_id: int | str | None = None


class FrameData(_Part):
    """A preview: boxes in input pixels, the input's size, and a JPEG as data URL that may be smaller than it."""

    boxes: tuple[Box, ...]
    width: Count
    height: Count
    image: str = Field(pattern=r"^data:image/jpeg;base64,")


class FramePayload(Payload):
    """A frame as the plugin saw it, for the eye alone; at most a few a second."""

    TYPE = MessageType.FRAME

    job_id: str
    frame_id: str
    frame_index: Count
    plugin: str
    data: FrameData
    device_used: str | None
    timing_ms: Milliseconds | None


class PartialRows(_Part):
    """Rows as they stand in the result."""

    rows: tuple[dict[str, Any], ...]


class PartialResultPayload(Payload):
    """The newest rows of a running job; some may be passed over, the result has them all."""

    TYPE = MessageType.PARTIAL_RESULT

    job_id: str
    plugin: str
    result: PartialRows
    partial: Literal[True] = True


class WarningPayload(Payload):
    """One warning. `index` counts all warnings of the job from 0, so that a client drops what it has."""

    TYPE = MessageType.WARNING
    OPTIONAL = frozenset({"frame_index"})

    job_id: str
    index: Count
    plugin: str
    message: str
    severity: Severity = Severity.MEDIUM
    frame_index: Count | None = None


class ErrorDetails(_Part):
    """`error_code` is one of contracts.problems; `message` is the sentence for the user."""

    OPTIONAL = frozenset({"frame_index"})

    error_code: str
    message: str
    frame_index: Count | None = None


class ErrorPayload(Payload):
    """What went wrong: with a job or with what the client sent. `error` is the short title of the code."""

    TYPE = MessageType.ERROR
    OPTIONAL = frozenset({"job_id", "plugin"})

    job_id: str | None = None
    error: str
    plugin: str | None = None
    details: ErrorDetails


class PingPayload(Payload):
    """Asks for a pong; `interval_seconds` until the next one."""

    TYPE = MessageType.PING

    interval_seconds: float


class PongPayload(Payload):
    """Answers a ping with the moment it was answered."""

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

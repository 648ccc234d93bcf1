"""Rows and the result document.

A row is plain JSON: `frame_index`, `timestamp_ms`, and `detections` (the tool's output) for a single tool, or one key
per tool for several. Rows stay dictionaries, because a tool's output is the plugin's own type; its schema is in the
manifest.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from .ids import JobIdText

INLINE_RESULT_BYTES = 256 * 1024
"""How many bytes of rows the record view and result.json hold; the others are read from `result_url`."""

MAX_ROW_BYTES = 1024 * 1024
"""The most bytes that one frame's output may have."""

_ROW_SCHEMA = {
    "type": "object",
    "properties": {"frame_index": {"type": "integer", "minimum": 0}, "timestamp_ms": {"type": ["number", "null"]}},
    "required": ["frame_index"],
    "additionalProperties": True,
}
Row = Annotated[dict[str, Any], WithJsonSchema(_ROW_SCHEMA)]
"""What the tools said about one frame."""


class ResultSummary(BaseModel):
    """What a job found, in three figures: frames with a row, detections in total, and detections per class."""

    model_config = ConfigDict(frozen=True)

    frame_count: int = Field(default=0, ge=0)
    detection_count: int = Field(default=0, ge=0)
    classes: dict[str, int] = Field(default_factory=dict)


class ResultHeader(BaseModel):
    """The result document without its rows. fps in frames per second, width and height in upright pixels."""

    model_config = ConfigDict(frozen=True)

    job_id: JobIdText
    status: str
    plugin_id: str
    tools: tuple[str, ...]
    total_frames: int | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    summary: ResultSummary = ResultSummary()


class ResultDocument(ResultHeader):
    """The whole result. `truncated` is true when `frames` was cut at the inline limit."""

    frames: list[Row] = Field(default_factory=list)
    truncated: bool = False

"""What GET /v1/jobs/{job_id}/result/timeline answers: when a job found what, coarsely enough to draw it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.ids import JobIdText

DEFAULT_BINS = 400
MAX_BINS = 2000
MAX_LANES = 500

Run = Annotated[
    tuple[int, int, int], Field(description="The first bin, the last bin, and the detections in all of them together.")
]


class _Body(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class TimelineLane(_Body):
    """One class or one track of one tool, and the bins in which it was found."""

    kind: Literal["class", "track"]
    """`class` counts all boxes of a class, also those that have a track; `track` those of one track."""

    tool: str
    """The tool that found it."""

    class_: str | None = Field(default=None, alias="class")
    """The class as the tool names it, or its number; null for boxes without a class. Of a track, its first class."""

    track_id: int | str | None = None
    """The track's id, unique within the job and the tool; null in a class."""

    frames: int = Field(ge=1)
    """How many rows it is in."""

    detections: int = Field(ge=1)
    """How many boxes it has."""

    first_frame: int = Field(ge=0)
    """The first frame_index it is in."""

    last_frame: int = Field(ge=0)
    """The last frame_index it is in."""

    runs: list[Run]
    """Bins without a gap in which it was found, as `[first_bin, last_bin, detections]`, in order."""


class ResultTimeline(_Body):
    """When a job found what: a lane for each class and each track, over the frames of the job cut into bins."""

    job_id: JobIdText
    """The job's id, a UUID."""

    attempt: int = Field(ge=0)
    """The attempt whose rows were counted."""

    complete: bool
    """Whether the job has ended; until then these are the rows so far."""

    bins: int = Field(ge=1, le=MAX_BINS)
    """How many bins there are: as many as were asked for, or one for each frame when there are fewer frames; beyond
    2000 frames the next divisor of 2000 below what was asked for."""

    total_frames: int = Field(ge=0)
    """The frames that the bins cover; frame `f` is in bin `f * bins // total_frames`. As long as the number of frames
    is unknown, those of the rows so far."""

    lanes: list[TimelineLane]
    """Classes, those with the most detections first, then tracks in the order of their first frame; at most 500."""

    lanes_omitted: int = Field(ge=0)
    """How many more classes and tracks there are; beyond 100 000 they are no longer told apart."""

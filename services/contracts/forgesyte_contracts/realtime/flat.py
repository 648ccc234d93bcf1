"""The flat events of `/ws/jobs/{job_id}`: progress, and three endings without an envelope."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.jobs import JobRecord, JobStatus
from forgesyte_contracts.progress import never_falling, percent_of

from .payloads import ProgressPayload


class ProgressEvent(BaseModel):
    """How far a job is.

    >>> ProgressEvent(job_id="j", current_frame=1, total_frames=3).wire()
    {'job_id': 'j', 'current_frame': 1, 'total_frames': 3, 'percent': 33}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str
    current_frame: int = Field(ge=0)
    """Frames done in this attempt."""

    total_frames: int | None = Field(ge=0)
    """All frames; None while the number is unknown."""

    current_tool: str | None = None
    tools_total: int | None = None
    tools_completed: int | None = None
    least_percent: int = Field(default=0, ge=0, le=100, exclude=True)
    """The percentage sent before: a later attempt starts at frame 0, but the percentage never falls. Never sent."""

    @property
    def percent(self) -> int:
        """floor(100 * current / total), 0 while the total is unknown or 0, never below `least_percent`."""
        return never_falling(self.least_percent, percent_of(self.current_frame, self.total_frames))

    def wire(self) -> dict[str, Any]:
        """Return the keys as they are sent; those about tools only when they are set."""
        tools = {name: getattr(self, name) for name in ("current_tool", "tools_total", "tools_completed")}
        return {
            "job_id": self.job_id,
            "current_frame": self.current_frame,
            "total_frames": self.total_frames,
            "percent": self.percent,
            **{name: value for name, value in tools.items() if value is not None},
        }


def flat_progress(progress: ProgressPayload, *, least_percent: int = 0) -> ProgressEvent:
    """Return the flat form of a progress payload.

    Args:
        progress: the payload of the envelope. While the total is unknown its own percentage counts, which may come
            from the container's estimate.
        least_percent: the percentage sent before.
    """
    estimated = 0 if progress.total_frames else progress.progress or 0
    return ProgressEvent(
        job_id=progress.job_id,
        current_frame=progress.current_frame or 0,
        total_frames=progress.total_frames,
        current_tool=progress.current_tool,
        tools_total=progress.tools_total,
        tools_completed=progress.tools_completed,
        least_percent=never_falling(least_percent, estimated),
    )


def flat_ending(record: JobRecord) -> dict[str, Any] | None:
    """Return the flat ending of a job; None while it has not ended."""
    match record.status:
        case JobStatus.COMPLETED:
            return {"status": "completed", "job_id": record.job_id}
        case JobStatus.CANCELLED:
            return {"status": "cancelled", "job_id": record.job_id}
        case JobStatus.FAILED:
            return {"status": "error", "job_id": record.job_id, "message": record.error_message or ""}
    return None

"""The job record: the single source of truth about a job, as stored in the bus's bucket `jobs`.

The public views (JobView and ExtendedJobResponse in http/jobs.py) are derived from it; nothing else keeps job state.
How a record may change is defined in moves.py.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from .results import ResultSummary
from .warnings import JobWarning

MAX_WARNINGS = 50
MAX_ATTEMPTS_KEPT = 20
MAX_LOG_TAIL_BYTES = 2048


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_utc_text, return_type=str)]
"""A moment in UTC; ISO 8601 with milliseconds and `Z` on the wire."""


JobKind = Literal["video", "image"]
"""The kinds of media a job can process."""


class JobStatus(StrEnum):
    """The state of a job. completed, failed and cancelled are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class JobType(StrEnum):
    """What was submitted; `_multi` when more than one tool was requested."""

    VIDEO = "video"
    VIDEO_MULTI = "video_multi"
    IMAGE = "image"
    IMAGE_MULTI = "image_multi"

    @classmethod
    def of(cls, kind: JobKind, tools: int) -> "JobType":
        """Return the type of a job that runs this many tools on this kind of media."""
        return cls(kind if tools == 1 else f"{kind}_multi")

    @property
    def kind(self) -> JobKind:
        """The kind of its media."""
        return "image" if self in (JobType.IMAGE, JobType.IMAGE_MULTI) else "video"


class AttemptOutcome(StrEnum):
    """How an attempt ended: a closed set."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OOM = "oom"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    LOST = "lost"
    RELEASED = "released"
    FENCED = "fenced"
    SURROUNDINGS = "surroundings"
    """What ran the sandbox died under it: the zygote, the runner, the machine. It uses up no attempt."""

    @property
    def is_death(self) -> bool:
        """Whether this outcome counts towards giving up on the job."""
        return self in (AttemptOutcome.TIMEOUT, AttemptOutcome.OOM, AttemptOutcome.CRASHED, AttemptOutcome.LOST)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AttemptEntry(_Frozen):
    """One claim of a job. `frame` is the frame it had reached when it ended, 0-based; None when that is unknown. Once
    the job has ended, that of the last attempt is the number of rows that can be read.

    `alone`, `boot_id`, `oom_kills` and `has_control` are the circumstances of the claim, for blame.py. `policy` is how
    its sandbox was held back, in one word. `log_tail` is what its sandbox wrote last, when that ended badly.
    """

    number: int
    runner_id: str
    started_at: Moment
    ended_at: Moment | None = None
    outcome: AttemptOutcome | None = None
    frame: int | None = None
    alone: bool = False
    boot_id: str | None = None
    oom_kills: int | None = None
    has_control: bool = False
    policy: str | None = None
    log_tail: str | None = None


class RowRange(_Frozen):
    """Committed rows: this attempt's segments hold the frames first_frame <= index < end_frame."""

    attempt: int
    first_frame: int
    end_frame: int


class InputFacts(_Frozen):
    """What was uploaded: the client's name for it, its size, and the media type the client announced."""

    filename: str | None = None
    size_bytes: int = 0
    media_type: str | None = None


class DecodeFacts(_Frozen):
    """What the decoder found. rotation in degrees, width and height in upright pixels.

    `fps` is the mean rate of the decoded frames, `fps_nominal` the one that the file announces. `clock` says how frames
    got their times: from the file (`pts`), from the order in which it stores them where it states none or wrong ones
    (`best_effort`), or by the rate alone (`counted`). `video_stream` is the index that ffprobe prints. `color` says how
    colours were read, and what of that was assumed; `pixel_aspect` is the shape of a pixel, such as 4:3. `as_stated`
    says, when all is decoded, whether every picture was as the file states it: whole, in its size, at its time.
    """

    frames_decoded: int = 0
    frames_corrupt: int = 0
    frames_skipped: int = 0
    codec: str | None = None
    fps: float | None = None
    fps_nominal: float | None = None
    clock: Literal["pts", "best_effort", "counted"] | None = None
    video_stream: int | None = None
    color: str | None = None
    rotation: int = 0
    width: int | None = None
    height: int | None = None
    pixel_aspect: str | None = None
    as_stated: bool | None = None


class StageTimings(_Frozen):
    """Milliseconds the current attempt spent in each stage, summed over frames, to one decimal."""

    fetch: float = 0.0
    decode: float = 0.0
    process: float = 0.0
    encode: float = 0.0
    publish: float = 0.0


class JobRecord(_Frozen):
    """Everything the services know about a job; at most 64 KiB as JSON.

    `owner` and `attempt` fence writers; `write_id` tells a writer whether a write that timed out was its own; `order`
    is `<attempt>.<n>` of the last live message made before the write. `warnings` holds the newest warnings;
    `warnings_dropped` is how many came before them. `submitted_by` is the name of the API key by which pending jobs
    are counted. `video_stream` is the stream that the client chose. `suspicion` counts the faults of its surroundings
    that others may have caused as well; `alone_faults` holds the frame it had reached at each fault that it met alone,
    -1 before its first row, at most the newest 5; `attempts_spared` is how many attempts ended without being used up,
    and `spared_alone` how many of those in a row ended while it was alone, without new rows, on a machine that was calm
    before (blame.py). `summary` adds up the committed rows, those that `rows` names; `current_frame` counts those made
    so far, and is ahead of it while the job runs. `error_frame` is the frame that made it fail, 0-based.
    """

    job_id: str
    status: JobStatus = JobStatus.PENDING
    plugin_id: str
    tools: tuple[str, ...] = Field(min_length=1)
    job_type: JobType = JobType.VIDEO
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    skip_bad_frames: bool = False
    video_stream: int | None = None
    submitted_by: str | None = None
    input: InputFacts = InputFacts()
    device_requested: Literal["auto", "cpu", "gpu"] = "auto"
    device_used: str | None = None
    device: str = "cpu"
    fallback: bool = False
    fallback_reason: str | None = None
    progress: int | None = Field(default=None, ge=0, le=100)
    current_frame: int | None = None
    total_frames: int | None = None
    tools_completed: int = 0
    summary: ResultSummary | None = None
    error_message: str | None = None
    error_code: str | None = None
    error_type: str | None = None
    error_frame: int | None = None
    plugin_timings: dict[str, float] = Field(default_factory=dict)
    stage_timings_ms: StageTimings = StageTimings()
    warnings: tuple[JobWarning, ...] = ()
    warnings_dropped: int = 0
    decode: DecodeFacts | None = None
    attempt: int = 0
    attempts: tuple[AttemptEntry, ...] = ()
    owner: str | None = None
    order: str = "0.0"
    write_id: str = ""
    rows: tuple[RowRange, ...] = ()
    best_frame: int = 0
    deaths_without_checkpoint: int = 0
    skip_frames: tuple[int, ...] = ()
    suspicion: int = 0
    alone_faults: tuple[int, ...] = ()
    attempts_spared: int = 0
    spared_alone: int = 0
    created_at: Moment
    started_at: Moment | None = None
    updated_at: Moment
    completed_at: Moment | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self.status.is_terminal

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what killed its surroundings: it then runs alone until it is cleared."""
        return self.suspicion > 0 or bool(self.alone_faults)

    @property
    def runs_alone(self) -> bool:
        """Whether its open attempt has a runner to itself."""
        return bool(self.attempts) and self.attempts[-1].outcome is None and self.attempts[-1].alone

"""A job's warnings as data: what to know, about which frame, and how much it matters.

The frame comes from the code that raises the warning and is never searched for in the text: a plugin may write
"frame 7" there and mean something else.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_WARNING_CHARS = 500


class Severity(StrEnum):
    """How much a warning matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class JobWarning(BaseModel):
    """Something the user should know about a job that goes on.

    `frame_index` is the frame it is about, 0-based; None when it is about the whole job or no frame is known. The code
    that raises a warning chooses its severity; without a choice it is medium.

    Records and blobs written before warnings were data hold plain texts; these are read as warnings about no known
    frame.

    >>> JobWarning.model_validate("frame 7 is odd")
    JobWarning(text='frame 7 is odd', frame_index=None, severity=<Severity.MEDIUM: 'medium'>)
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    frame_index: int | None = Field(default=None, ge=0)
    severity: Severity = Severity.MEDIUM

    @model_validator(mode="before")
    @classmethod
    def _read_plain_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value

    def cut(self) -> "JobWarning":
        """Return the warning with a text of at most MAX_WARNING_CHARS characters."""
        if len(self.text) <= MAX_WARNING_CHARS:
            return self
        return self.model_copy(update={"text": self.text[: MAX_WARNING_CHARS - 1] + "…"})


IndexedWarning = tuple[int, JobWarning]
"""A warning and its index among all warnings of its job, over all attempts."""

"""What job-api answers while it makes a file that was asked for: the annotated video, the copy that browsers show."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.ids import JobIdText


class Making(BaseModel):
    """The body of 202: ask again after `Retry-After` seconds, and get the file or what went wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    job_id: JobIdText
    """The job's id."""

    state: Literal["making"] = "making"
    """Always `making`."""

    progress: int | None = Field(default=None, ge=0, le=100)
    """How much of it is done, in percent; null while that is unknown, for example because it waits for its turn."""

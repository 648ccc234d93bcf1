"""What a GET on /v1/realtime may ask for; a socket's address has the same parameters, and any others."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.problems import Code, ForgeSyteError

from .gateway import job_id_of

_JOB_OR_BLANK = {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 0}]}


class StreamQuery(BaseModel):
    """The query parameters, as they came: what is wrong with one is judged after the key. Blank is missing."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    job_id: Annotated[str, WithJsonSchema(_JOB_OR_BLANK)] | None = Field(
        default=None, examples=["01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60"]
    )
    """The job to watch, a UUID."""

    plugin: str | None = Field(default=None, examples=["motion-detector"])
    """Send the metadata of this plugin only."""

    session_id: str | None = Field(default=None, examples=["screen-1"])
    """Counts the connections of one client together: 1 to 64 characters of `A-Z a-z 0-9 _ -`."""

    since: str | None = Field(default=None, examples=["17"])
    """The last `seq` that the client has, as in `Last-Event-ID`; if it is the current one, nothing is repeated."""

    def wanted_job(self) -> JobId | None:
        """Return the job to watch.

        Raises:
            ForgeSyteError: REQUEST_INVALID, when `job_id` is not a UUID.
        """
        if not self.job_id:
            return None
        job_id = job_id_of(self.job_id)
        if job_id is None:
            raise ForgeSyteError(Code.REQUEST_INVALID, f"job_id: expected a UUID, found {self.job_id[:80]!r}.")
        return job_id

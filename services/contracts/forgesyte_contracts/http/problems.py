"""An error as every service answers it."""

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """An error as RFC 9457 has it; `code` is the word programs may switch on."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    job_id: str | None = None
    plugin: str | None = None

"""An error as every service answers it."""

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """An error as RFC 9457 defines it. Further members name what it is about, such as `field`."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    type: str
    """The kind of problem, as a URN."""

    title: str
    """What the code means, in a few words."""

    status: int
    """The HTTP status."""

    detail: str
    """What was found, what was expected and what to do next, in sentences for people."""

    code: str
    """The word that programs may switch on."""

    job_id: str | None = None
    """The job that it is about."""

    plugin: str | None = None
    """The plugin that it is about."""

"""An error as every service answers it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from forgesyte_contracts.ids import JobIdText
from forgesyte_contracts.problems import Code

CodeText = Annotated[str, WithJsonSchema({"type": "string", "enum": [code.value for code in Code]})]
"""A code in a body: a plain string that schemas describe as one of all codes."""


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

    code: CodeText
    """The word that programs may switch on."""

    job_id: JobIdText | None = None
    """The job that it is about."""

    plugin: str | None = None
    """The plugin that it is about."""

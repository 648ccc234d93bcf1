"""What GET /health answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HealthReport(BaseModel):
    """Whether job-api can do its work."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["healthy", "degraded"]
    """`degraded` when a check found something wrong."""

    version: str
    """The version of job-api."""

    plugins_loaded: int = Field(ge=0)
    """How many plugins some living runner can run."""

    checks: dict[str, str]
    """Each check's finding: `ok`, or a sentence that says what is wrong."""

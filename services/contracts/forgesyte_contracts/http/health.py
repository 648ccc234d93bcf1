"""What GET /health answers."""

from typing import Literal

from pydantic import BaseModel, Field


class HealthReport(BaseModel):
    """Whether job-api can do its work. A check's value is `ok` or a sentence saying what is wrong."""

    status: Literal["healthy", "degraded"]
    version: str
    plugins_loaded: int = Field(ge=0)
    checks: dict[str, str]

"""What the inspector answers about plugins."""

from typing import Literal

from pydantic import BaseModel, Field

from forgesyte_contracts.jobs import Moment
from forgesyte_contracts.plugins import PluginHealth, PluginLimits, PluginRunner, Requires, ToolManifest


class PluginMetadata(BaseModel):
    """What a plugin says of itself. Only the name is known of one whose manifest could not be read."""

    name: str
    version: str | None = None
    description: str = ""
    author: str = ""
    license: str = ""
    capabilities: tuple[str, ...] = ()
    latency_budget_ms: float | None = None
    requires: Requires = Requires()
    limits: PluginLimits = PluginLimits()
    isolation: Literal["job", "plugin"] = "job"
    stateful: bool = False


class PluginTimings(BaseModel):
    """Milliseconds a frame: the last one, the mean of the last 10, and what the plugin promises."""

    last_execution_time_ms: float | None
    avg_execution_time_ms: float | None
    latency_budget_ms: float | None


class PluginReport(BaseModel):
    """Everything about one plugin."""

    metadata: PluginMetadata
    health: PluginHealth
    timings: PluginTimings
    tools: tuple[ToolManifest, ...]
    runners: tuple[PluginRunner, ...]
    generated_at: Moment


class PluginList(BaseModel):
    """Every plugin in name order, and how many can be used, are FAILED and are UNAVAILABLE."""

    plugins: list[PluginHealth]
    total: int = Field(ge=0)
    available: int = Field(ge=0)
    failed: int = Field(ge=0)
    unavailable: int = Field(ge=0)


class ReloadAccepted(BaseModel):
    """The reload was sent to `runners` living runners; their next heartbeats show what came of it."""

    plugin: str
    status: Literal["reloading"] = "reloading"
    runners: int = Field(ge=0)
    requested_at: Moment

"""What the inspector answers about plugins."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_contracts.jobs import Moment
from forgesyte_contracts.plugins import Permissions, PluginHealth, PluginLimits, PluginRunner, Requires, ToolManifest


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class PluginMetadata(_Body):
    """What a plugin's manifest says. Of a plugin whose manifest could not be read, only the name is known."""

    name: str
    """Name of the plugin."""

    version: str | None = None
    """Its version; null when the manifest could not be read."""

    description: str = ""
    """What it does, in a sentence."""

    author: str = ""
    """Who wrote it."""

    license: str = ""
    """Its licence, as an SPDX identifier."""

    capabilities: tuple[str, ...] = ()
    """What it can do, in words of its own."""

    latency_budget_ms: float | None = None
    """Milliseconds per frame that it promises."""

    requires: Requires = Requires()
    """What it needs before it can run."""

    limits: PluginLimits = PluginLimits()
    """The limits it asks for instead of the runner's own."""

    permissions: Permissions = Permissions()
    """What its code may use beyond its own packages, its model files and its folder, if the operator allows it."""

    isolation: Literal["job", "plugin"] = "job"
    """Whether each job gets a fresh sandbox (`job`) or jobs share a warm one (`plugin`)."""

    stateful: bool = False
    """Whether it remembers earlier frames of a job."""


class PluginTimings(_Body):
    """Milliseconds per frame."""

    last_execution_time_ms: float | None
    """The last frame."""

    avg_execution_time_ms: float | None
    """The mean of the last 10 frames."""

    latency_budget_ms: float | None
    """What the plugin promises."""


class PluginReport(_Body):
    """Everything about one plugin."""

    metadata: PluginMetadata
    """What its manifest says."""

    health: PluginHealth
    """Its health over all living runners."""

    timings: PluginTimings
    """Milliseconds per frame."""

    tools: tuple[ToolManifest, ...]
    """Its tools."""

    runners: tuple[PluginRunner, ...]
    """Its state in each living runner."""

    generated_at: Moment
    """When this report was made."""


class PluginList(_Body):
    """Every plugin, and how many can be used."""

    plugins: list[PluginHealth]
    """The plugins in name order."""

    total: int = Field(ge=0)
    """How many there are."""

    available: int = Field(ge=0)
    """How many can be used."""

    failed: int = Field(ge=0)
    """How many are FAILED."""

    unavailable: int = Field(ge=0)
    """How many are UNAVAILABLE."""


class ReloadAccepted(_Body):
    """The runners were asked to reload a plugin; their next heartbeats show how it went."""

    plugin: str
    """Name of the plugin."""

    status: Literal["reloading"] = "reloading"
    """The runners are reloading it."""

    runners: int = Field(ge=0)
    """How many living runners were asked."""

    requested_at: Moment
    """When they were asked."""

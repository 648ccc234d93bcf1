"""What a plugin says of itself (manifest) and what runners say of it (state, health, heartbeat).

A manifest crosses from a sandbox to its parent as JSON only; a parent validates it with these models and never sees
the class behind it.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from .ids import NameText

ENTRY_POINT_GROUP = "forgesyte.plugins"

_SEMVER = r"^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$"
SemVer = Annotated[str, StringConstraints(pattern=_SEMVER, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=4000)]


class PluginState(StrEnum):
    """Where a plugin stands in one runner."""

    LOADED = "LOADED"
    INITIALIZED = "INITIALIZED"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    UNAVAILABLE = "UNAVAILABLE"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Strict):
    """A model file the plugin needs: exists, regular, at least 16 bytes, `sha256` (hex) when given."""

    name: str
    path: str
    sha256: str | None = None


class Requires(_Strict):
    """What must be there before the plugin can run. `packages` are import names."""

    gpu: bool = False
    packages: tuple[str, ...] = ()
    models: tuple[ModelFile, ...] = ()
    gpu_memory_bytes: int | None = Field(default=None, ge=0)


class PluginLimits(_Strict):
    """Limits a plugin asks for instead of the service's own: seconds a frame, bytes above the warm baseline."""

    frame_timeout_s: float | None = Field(default=None, gt=0)
    memory_bytes: int | None = Field(default=None, gt=0)


class ToolManifest(_Strict):
    """One tool: what it takes, what it gives, and the JSON Schemas of its options and of its output for one frame."""

    name: NameText
    aliases: tuple[NameText, ...] = ()
    title: Text = ""
    description: Text = ""
    inputs: tuple[Literal["image", "video"], ...] = ("video",)
    options_schema: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] = Field(default_factory=dict)


class PluginManifest(_Strict):
    """What a plugin is, read once by a sandbox at the runner's start."""

    name: NameText
    version: SemVer
    description: Text = ""
    author: Text = ""
    license: Text = ""
    capabilities: tuple[str, ...] = ()
    tools: tuple[ToolManifest, ...] = Field(min_length=1)
    latency_budget_ms: float | None = Field(default=None, gt=0)
    requires: Requires = Requires()
    limits: PluginLimits = PluginLimits()
    isolation: Literal["job", "plugin"] = "job"
    stateful: bool = False

    @model_validator(mode="after")
    def _names_are_unique(self) -> "PluginManifest":
        names = [name for tool in self.tools for name in (tool.name, *tool.aliases)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each tool and alias may stand once, found twice: {', '.join(twice)}")
        return self

    def tool(self, name: str) -> ToolManifest | None:
        """Find a tool by its id or by one of its aliases."""
        for tool in self.tools:
            if name == tool.name or name in tool.aliases:
                return tool
        return None


class PluginOnRunner(BaseModel):
    """One plugin as one runner sees it. `manifest` is None when it could not be read; `reason` then says why."""

    model_config = ConfigDict(frozen=True)

    name: NameText
    state: PluginState
    reason: Text | None = None
    manifest: PluginManifest | None = None
    success_count: int = 0
    error_count: int = 0


class Device(BaseModel):
    """A device a runner can put a job on."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["cpu", "gpu"]


class RunnerHeartbeat(BaseModel):
    """What a runner writes into KV `runners` every 2 s; its absence for 8 s means the runner is gone."""

    model_config = ConfigDict(frozen=True)

    runner_id: str
    host: str
    pid: int
    version: str
    started_at: str
    draining: bool = False
    slots: int = Field(ge=1)
    slots_busy: int = Field(default=0, ge=0)
    jobs: tuple[str, ...] = ()
    devices: tuple[Device, ...] = (Device(name="cpu", kind="cpu"),)
    plugins: tuple[PluginOnRunner, ...] = ()

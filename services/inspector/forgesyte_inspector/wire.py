"""The bodies the inspector answers with that no other room needs, and the one way in which they become JSON."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from forgesyte_contracts.jobs import Moment
from forgesyte_contracts.plugins import (
    PluginHealth,
    PluginLimits,
    PluginManifest,
    PluginRunner,
    PluginState,
    Requires,
    ToolManifest,
)
from forgesyte_contracts.runners import Device

from .roster import RunnerState, SeenRunner


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


class DeviceOnRunner(Device):
    """A device and the runner that has it."""

    runner_id: str
    host: str


class OfferedPlugin(BaseModel):
    """A plugin as one runner has it."""

    name: str
    state: PluginState


class RunnerInfo(BaseModel):
    """A runner. Of a lost one everything but `state` is as it was when it was last heard of, `silent_s` seconds ago."""

    runner_id: str
    state: RunnerState
    draining: bool
    silent_s: float
    host: str
    pid: int
    version: str
    started_at: str
    slots: int
    slots_busy: int
    jobs: tuple[str, ...]
    plugins: tuple[OfferedPlugin, ...]


def metadata_of(name: str, manifest: PluginManifest | None) -> PluginMetadata:
    """Take a manifest's metadata, the tools left out."""
    if manifest is None:
        return PluginMetadata(name=name)
    facts = {field: getattr(manifest, field) for field in PluginMetadata.model_fields if field != "name"}
    return PluginMetadata(name=name, **facts)


def list_of(healths: list[PluginHealth]) -> PluginList:
    """Count plugins by what they can be used for; one without a living runner counts by its last known state."""
    failed = sum(health.state is PluginState.FAILED for health in healths)
    unavailable = sum(health.state is PluginState.UNAVAILABLE for health in healths)
    return PluginList(
        plugins=healths,
        total=len(healths),
        available=len(healths) - failed - unavailable,
        failed=failed,
        unavailable=unavailable,
    )


def runner_info(seen: SeenRunner) -> RunnerInfo:
    """Show one runner."""
    beat = seen.heartbeat
    return RunnerInfo(
        runner_id=seen.runner_id,
        state=seen.state,
        draining=beat.draining,
        silent_s=round(seen.silent_s, 1),
        host=beat.host,
        pid=beat.pid,
        version=beat.version,
        started_at=beat.started_at,
        slots=beat.slots,
        slots_busy=beat.slots_busy,
        jobs=beat.jobs,
        plugins=tuple(OfferedPlugin(name=plugin.name, state=plugin.state) for plugin in beat.plugins),
    )


def json_response(value: BaseModel | Sequence[BaseModel] | dict[str, Any], status: int = 200) -> Response:
    """Answer with JSON, whatever a manifest holds.

    A plugin's schemas are free JSON: the framework's own encoder gives 500 for NaN, and orjson for an integer of more
    than 64 bits.
    """
    return Response(to_json(value, inf_nan_mode="null"), status, media_type="application/json")

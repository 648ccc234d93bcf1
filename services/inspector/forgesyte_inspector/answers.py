"""What the inspector answers, made of what it knows, and the one way in which it becomes JSON."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

from forgesyte_contracts.http.plugins import PluginList, PluginMetadata
from forgesyte_contracts.http.runners import OfferedPlugin, RunnerInfo
from forgesyte_contracts.plugins import (
    PluginHealth,
    PluginManifest,
    PluginState,
)

from .roster import SeenRunner


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

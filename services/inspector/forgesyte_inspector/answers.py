"""Builds the answers of the routes, and turns them into JSON in the only way that never fails."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

from forgesyte_contracts.http.plugins import PluginList, PluginMetadata
from forgesyte_contracts.http.runners import OfferedPlugin, RunnerInfo
from forgesyte_contracts.plugins import PluginHealth, PluginManifest, PluginState

from .roster import SeenRunner


def metadata_of(name: str, manifest: PluginManifest | None) -> PluginMetadata:
    """Return a manifest's metadata, without its tools."""
    if manifest is None:
        return PluginMetadata(name=name)
    facts = {field: getattr(manifest, field) for field in PluginMetadata.model_fields if field != "name"}
    return PluginMetadata(name=name, **facts)


def list_of(healths: list[PluginHealth]) -> PluginList:
    """Return the plugins with their counts; one without a living runner counts by its last known state."""
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
    """Return the public view of a runner."""
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
    """Answer with JSON, whatever a manifest contains.

    A plugin's schemas are arbitrary JSON: FastAPI's own encoder fails on NaN, and orjson on integers beyond 64 bits.
    """
    return Response(to_json(value, inf_nan_mode="null"), status, media_type="application/json")

"""From the fields of a submit to a job: names resolved, options checked, the first record made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import InputFacts, JobRecord, JobType
from forgesyte_contracts.plugins import PluginManifest, ToolManifest
from forgesyte_contracts.problems import Code, ForgeSyteError

from .catalog import Catalog, device_for
from .fields import SubmitFields
from .options import ToolOptions, parse_options


@dataclass(frozen=True, slots=True)
class Submission:
    """A submit that may become a job: everything about it but its media was checked."""

    plugin: str
    tools: tuple[str, ...]
    options: ToolOptions
    device_requested: Literal["auto", "cpu", "gpu"]
    device: str
    skip_bad_frames: bool

    def record(self, job_id: JobId, media: InputFacts, now: datetime) -> JobRecord:
        """The record with which the job begins."""
        return JobRecord(
            job_id=job_id,
            plugin_id=self.plugin,
            tools=self.tools,
            job_type=JobType.VIDEO if len(self.tools) == 1 else JobType.VIDEO_MULTI,
            options=self.options,
            skip_bad_frames=self.skip_bad_frames,
            input=media,
            device_requested=self.device_requested,
            device=self.device,
            created_at=now,
            updated_at=now,
        )


def checked(fields: SubmitFields, catalog: Catalog, *, max_options_bytes: int) -> Submission:
    """Check a submit against what the runners offer.

    Raises:
        ForgeSyteError: PLUGIN_UNKNOWN, TOOL_UNKNOWN, PLUGIN_UNAVAILABLE or OPTIONS_INVALID; the detail says what is
            there instead.
    """
    offer = catalog.require(fields.plugin_id)
    assert offer.manifest is not None  # noqa: S101  require() gives no offer without one
    tools = _tools(offer.manifest, fields.tool)
    requested = fields.device or "auto"
    return Submission(
        plugin=offer.name,
        tools=tuple(tool.name for tool in tools),
        options=parse_options(fields.options, tools, max_bytes=max_options_bytes),
        device_requested=requested,
        device=device_for(offer, requested),
        skip_bad_frames=bool(fields.skip_bad_frames),
    )


def _tools(manifest: PluginManifest, asked: Iterable[str]) -> list[ToolManifest]:
    """The tools asked for, by id or alias, each once and in the order asked."""
    tools: dict[str, ToolManifest] = {}
    for name in asked:
        tool = manifest.tool(name)
        if tool is None:
            raise _no_tool(manifest, f"plugin {manifest.name} has no tool {name[:80]!r}")
        if "video" not in tool.inputs:
            raise _no_tool(manifest, f"tool {tool.name} takes {' and '.join(tool.inputs)}, not video")
        tools[tool.name] = tool
    if not tools:
        raise _no_tool(manifest, "tool is missing")
    return list(tools.values())


def _no_tool(manifest: PluginManifest, what: str) -> ForgeSyteError:
    known = ", ".join(tool.name for tool in manifest.tools if "video" in tool.inputs) or "none"
    return ForgeSyteError(
        Code.TOOL_UNKNOWN, f"{what}; tools of {manifest.name} for video: {known}", plugin=manifest.name
    )

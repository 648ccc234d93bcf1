"""From the fields of a submit to a job: resolves names, checks options, makes the first record."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import DecodeFacts, InputFacts, JobRecord, JobType
from forgesyte_contracts.plugins import PluginManifest, ToolManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.catalog import Catalog

from .devices import ChosenDevice, choose_device
from .mediakind import MediaKind
from .options import ToolOptions, parse_options
from .submit_fields import SubmitFields


@dataclass(frozen=True, slots=True)
class Submission:
    """A submit that may become a job: everything but its media has been checked."""

    plugin: str
    kind: MediaKind
    tools: tuple[str, ...]
    options: ToolOptions
    device_requested: Literal["auto", "cpu", "gpu"]
    device: ChosenDevice
    skip_bad_frames: bool
    video_stream: int | None

    def record(self, job_id: JobId, media: InputFacts, decode: DecodeFacts, now: datetime, *, key: str) -> JobRecord:
        """Make the record with which the job begins; `decode` is what the probe found, `key` the API key's name."""
        return JobRecord(
            job_id=job_id,
            plugin_id=self.plugin,
            tools=self.tools,
            job_type=JobType.of(self.kind.name, len(self.tools)),
            options=self.options,
            skip_bad_frames=self.skip_bad_frames,
            video_stream=self.video_stream,
            submitted_by=key,
            input=media,
            decode=decode,
            device_requested=self.device_requested,
            device=self.device.kind,
            fallback=self.device.fallback_reason is not None,
            fallback_reason=self.device.fallback_reason,
            created_at=now,
            updated_at=now,
        )


def checked(fields: SubmitFields, kind: MediaKind, catalog: Catalog, *, max_options_bytes: int) -> Submission:
    """Check a submit of this kind of media against what the runners offer.

    Raises:
        ForgeSyteError: PLUGIN_UNKNOWN, PLUGIN_UNAVAILABLE, OPTIONS_INVALID, or TOOL_UNKNOWN, also for a tool that takes
            another kind of media; REQUEST_INVALID for a stream of an image. The detail names what is available.
    """
    if fields.video_stream is not None and kind.name != "video":
        text = f"video_stream chooses a stream of a video, and an {kind.name} has none; leave it out"
        raise ForgeSyteError(Code.REQUEST_INVALID, text, field="video_stream")
    offer = catalog.require(fields.plugin_id)
    assert offer.manifest is not None  # noqa: S101  require() gives no offer without one
    tools = _tools(offer.manifest, fields.tool, kind)
    requested = fields.device or "auto"
    return Submission(
        plugin=offer.name,
        kind=kind,
        tools=tuple(tool.name for tool in tools),
        options=parse_options(fields.options, tools, max_bytes=max_options_bytes),
        device_requested=requested,
        device=choose_device(offer, requested),
        skip_bad_frames=bool(fields.skip_bad_frames),
        video_stream=fields.video_stream,
    )


def _tools(manifest: PluginManifest, asked: Iterable[str], kind: MediaKind) -> list[ToolManifest]:
    """Return the requested tools, given by id or alias, each once and in the order requested."""
    fitting = ", ".join(tool.name for tool in manifest.tools if kind.name in tool.inputs) or "none"
    known = f"tools of {manifest.name} for {kind.name}: {fitting}"
    tools: dict[str, ToolManifest] = {}
    for name in asked:
        tool = manifest.tool(name)
        if tool is None:
            text = f"plugin {manifest.name} has no tool {name[:80]!r}; {known}"
            raise ForgeSyteError(Code.TOOL_UNKNOWN, text, plugin=manifest.name)
        if kind.name not in tool.inputs:
            text = f"tool {tool.name} takes {' and '.join(tool.inputs)}, not {kind.name}; {known}"
            raise ForgeSyteError(Code.TOOL_UNKNOWN, text, plugin=manifest.name, field="tool")
        tools[tool.name] = tool
    if not tools:
        raise ForgeSyteError(Code.TOOL_UNKNOWN, f"tool is missing; {known}", plugin=manifest.name)
    return list(tools.values())

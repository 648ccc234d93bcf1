"""From a job to another one over the same media: what may differ is checked as a submit, and the input is copied.

The copy is made inside the store and gets the new job's id before that job exists, as an upload does; the two jobs then
share nothing, and either can be removed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forgesyte_chassis.store.blobs import BlobMissing, Store
from forgesyte_contracts.ids import JobId
from forgesyte_contracts.jobs import InputFacts, JobRecord
from forgesyte_contracts.plugins import PluginManifest
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob

from .admission import Admission, Taken
from .mediakind import IMAGE, VIDEO, MediaKind
from .places import Places
from .submit_fields import MAX_STREAM, MAX_TOOLS, SubmitFields
from .upload_sample import SampledFile, stored_sample

COPIES_AT_ONCE = 4
"""How many retries may have media of theirs copied or probed at the same time; each takes 16 MiB of scratch."""


class RetryFields(BaseModel):
    """What a new job over the same media does differently; whatever is missing stays as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tools: tuple[str, ...] | None = Field(
        default=None, min_length=1, max_length=MAX_TOOLS, examples=[["detect-motion"]]
    )
    """Tools of the job's plugin, by id or alias."""

    options: dict[str, Any] | None = Field(default=None, examples=[{"min_hits": 3}])
    """The tool's options; `{tool: options}` for several tools. They replace those of the job."""

    device: Literal["auto", "cpu", "gpu"] | None = Field(default=None, examples=["auto"])
    """The kind of device to run on."""

    video_stream: int | None = Field(default=None, ge=0, le=MAX_STREAM, examples=[0])
    """Index of the video stream to analyse, as ffprobe prints it; null chooses the default-flagged or largest one."""

    skip_bad_frames: bool | None = Field(default=None, examples=[False])
    """Whether to skip a frame at which the plugin died twice instead of failing the job."""


@dataclass(slots=True)
class CopiedInput:
    """The input of one job on its way to another. `media` is None until it has arrived."""

    store: Store
    job_id: JobId
    kind: MediaKind
    folder: Path
    media: InputFacts | None = None

    async def take(self, before: JobRecord) -> None:
        """Copy the input of an earlier job.

        Raises:
            ForgeSyteError: JOB_UNKNOWN, because it is no longer there.
        """
        try:
            await self.store.copy(input_blob(JobId(before.job_id)), input_blob(self.job_id))
        except BlobMissing as error:
            raise input_gone(before) from error
        self.media = before.input

    async def sampled(self) -> SampledFile:
        """Read both ends of the copy for the probe."""
        return await stored_sample(self.store, input_blob(self.job_id), self.folder / "input")

    async def drop(self) -> None:
        """Remove the copy; call it also when nothing seems to be stored."""
        await self.store.delete(input_blob(self.job_id))


@dataclass(frozen=True, slots=True)
class Retries:
    """Turns jobs into other jobs over the same media. Few copies are made at a time: those are the `places`."""

    admission: Admission
    places: Places

    async def retry(self, before: JobRecord, changes: RetryFields, *, key: str) -> JobRecord:
        """Accept a new job over the media of another one, which may have ended in any way or still run.

        Args:
            before: the job.
            changes: what the new one does differently.
            key: the name of the API key.

        Raises:
            ForgeSyteError: JOB_UNKNOWN when the input is gone, TOO_MANY_REQUESTS when the wait for a turn was too long,
                or as a submit; nothing of it is kept.
        """
        admission = self.admission
        kind = {"video": VIDEO, "image": IMAGE}[before.job_type.kind]
        fields = self._fields(before, changes)
        admission.check(fields, kind)
        size = await admission.store.size(input_blob(JobId(before.job_id)))
        if size is None:
            raise input_gone(before)
        admission.require_room(key, size)

        async def take(copied: CopiedInput) -> Taken:
            async with self.places.place("the retry", "for its media to be copied"):
                await copied.take(before)
                submission = admission.check(fields, kind)
                return submission, await admission.probe(copied, submission)

        def begin(job_id: JobId, folder: Path) -> CopiedInput:
            return CopiedInput(admission.store, job_id, kind, folder)

        return await admission.admit(key, begin, take, is_counted_first=True)

    def _fields(self, before: JobRecord, changes: RetryFields) -> SubmitFields:
        """Return what a submit would have to say for the new job."""
        manifest = self.admission.catalog.require(before.plugin_id).manifest
        tools = changes.tools or before.tools
        options = _kept_options(before, tools, manifest) if changes.options is None else changes.options
        is_other_stream = "video_stream" in changes.model_fields_set
        skips = before.skip_bad_frames if changes.skip_bad_frames is None else changes.skip_bad_frames
        return SubmitFields(
            plugin_id=before.plugin_id,
            tool=tools,
            device=changes.device or before.device_requested,
            options=json.dumps(options, ensure_ascii=False, separators=(",", ":")),
            skip_bad_frames=skips,
            video_stream=changes.video_stream if is_other_stream else before.video_stream,
        )


def _kept_options(before: JobRecord, tools: tuple[str, ...], manifest: PluginManifest | None) -> dict[str, Any]:
    """Return the job's options of the tools that run again, in the form of a submit."""
    named = [manifest.tool(name) if manifest is not None else None for name in tools]
    ids = {tool.name for tool in named if tool is not None}
    kept = {tool: options for tool, options in before.options.items() if tool in ids}
    return kept if len(ids) > 1 else next(iter(kept.values()), {})


def input_gone(record: JobRecord) -> ForgeSyteError:
    """Make the error for a job whose input is no longer in the store."""
    text = f"the input of job {record.job_id} is no longer there; submit it again"
    return ForgeSyteError(Code.JOB_UNKNOWN, text, job_id=JobId(record.job_id))

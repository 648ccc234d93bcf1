"""Program `job`: run one video or image, decoded once, through the tools of one plugin.

spec: JobSpec. An image is a job of one frame. Rows are sent as they are made. The result holds what is known at the
end: DecodeFacts' fields, `rows`, `total_frames`.
"""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.decode_ahead import DecodeAhead
from forgesyte_sandbox.child.media.facts.frame_count import Basis
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.open_source import open_source
from forgesyte_sandbox.child.media.source import Picture, Source
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import JobSpec
from forgesyte_sdk import Frame, JobInfo, Plugin, Tool

from .plugins import find_tool, load_plugin, typed_options
from .preview import PreviewMaker
from .rows import RowMaker

_TIMINGS_EVERY_S = 0.25
_MAX_WARNINGS = 500


def run(context: Context[JobSpec]) -> dict[str, Any]:
    """Load the plugin, then read the job: make its tools, decode, process every frame.

    Nothing of the job is read before the plugin is loaded, so that what goes wrong until then is the plugin's fault.
    Rejected: options first, which saves a load when they are wrong; job-api has checked them against the schema.

    Raises:
        Refusal: bad options, unknown tool, bad media, a row that is too large. What the plugin raises propagates.
    """
    spec = context.spec
    plugin = load_plugin(spec.entry_point, spec.device)
    context.loaded()
    context.heartbeat.enter(Lane.TOOLS, Step.PREPARE)
    return Job(context, make_tools(plugin, spec)).run()


def make_tools(plugin: Plugin, spec: JobSpec) -> dict[str, Tool[Any, Any]]:
    """Read the options of the tools that a job asks for and make the tools, for this job only.

    Raises:
        Refusal: TOOL_UNKNOWN, OPTIONS_INVALID. What the tools' own code raises propagates.
    """
    kinds = {name: find_tool(type(plugin), name) for name in spec.tools}
    options = {name: typed_options(kind, spec.options.get(name, {})) for name, kind in kinds.items()}
    return {name: kind(plugin, options[name]) for name, kind in kinds.items()}


class Job:
    """One job with the tools made for it; run() is called once.

    Attributes:
        has_begun: whether the tools may have seen the job.
    """

    def __init__(self, context: Context[JobSpec], tools: dict[str, Tool[Any, Any]]) -> None:
        self.has_begun = False
        self._context = context
        self._heartbeat = context.heartbeat
        self._spec = context.spec
        self._tools = tools
        self._maker = RowMaker(tools, output_bytes=context.limits.output_bytes)
        self._previews = PreviewMaker(context)
        self._skip = frozenset(context.spec.skip_frames)
        self._rows = 0
        self._skipped = 0
        self._warned = 0
        # Sent at once for the first frame, so that a job that dies at the next one has figures too.
        self._next_timings_s = 0.0

    def run(self) -> dict[str, Any]:
        """Decode and process every frame; return what is known at the end.

        Raises:
            Refusal: bad media, a row that is too large. What the plugin raises propagates.
        """
        self._heartbeat.enter(Lane.TOOLS, Step.DECODE)
        allowed = MediaGuard(self._spec.media, run_memory_bytes=self._context.limits.memory_bytes)
        spec = self._spec
        return self._work(open_source(Path(spec.input), spec.kind, allowed, video_stream=spec.video_stream))

    def _work(self, source: Source) -> dict[str, Any]:
        self._heartbeat.enter(Lane.TOOLS, Step.WAIT)
        for picture in DecodeAhead(source, self._heartbeat, self._context.limits).pictures():
            if picture.index == 0:
                self._prepare(source)
            self._frame(source, picture)
            self._heartbeat.enter(Lane.TOOLS, Step.WAIT, picture.index)
        self._heartbeat.enter(Lane.TOOLS, Step.FINALIZE, source.decoded - 1)
        for tool in self._tools.values():
            tool.finalize()
        self._say_last(source)
        return {**_facts(source), "frames_skipped": self._skipped, "rows": self._rows}

    def _prepare(self, source: Source) -> None:
        self.has_begun = True
        width, height = source.size_wh
        claims = source.claims
        total = claims.frames if claims.frames_exact else None
        seen = source.seen
        started = messages.Started(claims.codec, width, height, claims.fps, source.rotation, claims.frames, total)
        self._context.send(
            replace(
                started,
                clock=seen.clock,
                video_stream=seen.video_stream,
                color=seen.color,
                pixel_aspect=seen.pixel_aspect,
            )
        )
        spec = self._spec
        info = JobInfo(spec.job_id, width, height, claims.fps, total, spec.device, Path.cwd())
        for tool in self._tools.values():
            self._heartbeat.enter(Lane.TOOLS, Step.PREPARE)
            tool.prepare(info)

    def _frame(self, source: Source, picture: Picture) -> None:
        if picture.index in self._skip:
            self._skipped += 1  # the record has the warning, from when the frame was given up
            return
        self._heartbeat.enter(Lane.TOOLS, Step.FRAME, picture.index)
        row, warnings = self._maker.make(
            Frame(picture.image, picture.index, picture.timestamp_ms), time_us=picture.time_us
        )
        for text in warnings:
            self._warn(text, picture.index)
        self._context.send(row)
        self._rows += 1
        self._previews.offer(picture)
        if time.monotonic() >= self._next_timings_s:
            self._send_timings(source)

    def _warn(self, text: str, frame: int | None) -> None:
        self._warned += 1
        if self._warned <= _MAX_WARNINGS:
            self._context.send(messages.Warning(text, frame))

    def _say_last(self, source: Source) -> None:
        if self._warned > _MAX_WARNINGS:
            self._context.send(
                messages.Warning(f"{self._warned - _MAX_WARNINGS} more warnings about values were left out")
            )
        for warning in source.warnings:
            self._context.send(warning)
        announced = source.claims.frames
        # A length times a rate is no announcement: the rate may vary, and the length may begin before the pictures.
        if announced is not None and source.claims.basis is not Basis.COMPUTED and source.decoded < announced:
            text = f"the container announced {announced} frames, {source.decoded} were decoded"
            text = f"{text}, {source.corrupt} packets or frames were damaged"
            self._context.send(messages.Warning(text, severity="high"))
        self._send_timings(source)

    def _send_timings(self, source: Source) -> None:
        spent_ms = {"decode": source.decode_ms, "process": self._maker.process_ms, "encode": self._maker.encode_ms}
        stages = {stage: round(ms, 1) for stage, ms in spent_ms.items()}
        self._context.send(messages.Timings(dict(self._maker.latest_ms), stages, source.seen.estimated_total))
        self._next_timings_s = time.monotonic() + _TIMINGS_EVERY_S


def _facts(source: Source) -> dict[str, Any]:
    return {
        "frames_decoded": source.decoded,
        "frames_corrupt": source.corrupt,
        "total_frames": source.decoded,
        "codec": source.claims.codec,
        "rotation": source.rotation,
        "width": source.size_wh[0],
        "height": source.size_wh[1],
        "as_stated": source.is_as_stated,
        **{name: value for name, value in asdict(source.seen).items() if name != "estimated_total"},
    }

"""Program `job`: one video through the tools of one plugin, over one decode.

spec: `entry_point`, `tools`, `options` ({tool: options}), `input` (path), `device`, `job_id`, `skip_frames`.
Rows leave as they are made; the result holds what is known at the end: DecodeFacts' fields, `rows`, `total_frames`.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forgesyte_sandbox import messages
from forgesyte_sandbox.heartbeat import Lane, Step
from forgesyte_sdk import Frame, JobInfo, Tool

from .ahead import DecodeAhead
from .decode import Decoder, Picture
from .plugins import find_tool, import_plugin, typed_options
from .rows import RowMaker

if TYPE_CHECKING:
    from forgesyte_sandbox.child import Context

_TIMINGS_EVERY_S = 0.25
_MAX_WARNINGS = 500


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What the caller asks for; the fields are the keys of the spec."""

    entry_point: str
    tools: list[str]
    input: str
    job_id: str
    device: str = "cpu"
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    skip_frames: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, spec: dict[str, Any]) -> "JobSpec":
        """Take the known keys and leave what belongs to others."""
        return cls(**{name: spec[name] for name in cls.__dataclass_fields__ if name in spec})


def run(context: "Context") -> dict[str, Any]:
    """Load the plugin, decode, process every frame.

    Raises:
        Refusal: bad options, unknown tool, bad media, a row that is too large. What the plugin raises goes through.
    """
    spec = JobSpec.read(context.spec)
    tools = _load(spec)
    context.loaded()
    job = _Job(context, spec, tools)
    context.heartbeat.enter(Lane.TOOLS, Step.DECODE)
    return job.work(Decoder(Path(spec.input)))


def _load(spec: JobSpec) -> dict[str, Tool[Any, Any]]:
    plugin_class = import_plugin(spec.entry_point)
    plugin = plugin_class()
    # Options before load: a typing error should not cost the time of loading a model.
    chosen = {name: find_tool(plugin_class, name) for name in spec.tools}
    options = {name: typed_options(tool, spec.options.get(name, {})) for name, tool in chosen.items()}
    plugin.validate()
    plugin.load(spec.device)
    return {name: tool(plugin, options[name]) for name, tool in chosen.items()}


class _Job:
    def __init__(self, context: "Context", spec: JobSpec, tools: dict[str, Tool[Any, Any]]) -> None:
        self._context = context
        self._heartbeat = context.heartbeat
        self._spec = spec
        self._tools = tools
        self._maker = RowMaker(tools, output_bytes=context.limits.output_bytes)
        self._skip = frozenset(spec.skip_frames)
        self._rows = 0
        self._skipped = 0
        self._warned = 0
        self._next_timings_s = time.monotonic() + _TIMINGS_EVERY_S

    def work(self, decoder: Decoder) -> dict[str, Any]:
        self._heartbeat.enter(Lane.TOOLS, Step.WAIT)
        for picture in DecodeAhead(decoder, self._heartbeat, self._context.limits).pictures():
            if picture.index == 0:
                self._prepare(decoder)
            self._frame(decoder, picture)
            self._heartbeat.enter(Lane.TOOLS, Step.WAIT, picture.index)
        self._heartbeat.enter(Lane.TOOLS, Step.FINALIZE, decoder.decoded - 1)
        for tool in self._tools.values():
            tool.finalize()
        self._say_last(decoder)
        return {**_facts(decoder), "frames_skipped": self._skipped, "rows": self._rows}

    def _prepare(self, decoder: Decoder) -> None:
        width, height = decoder.size_wh
        claims = decoder.claims
        self._context.send(
            messages.Started(claims.codec, width, height, claims.fps, decoder.rotation, claims.frames, None)
        )
        spec = self._spec
        info = JobInfo(spec.job_id, width, height, claims.fps, None, spec.device, Path.cwd())
        for tool in self._tools.values():
            self._heartbeat.enter(Lane.TOOLS, Step.PREPARE)
            tool.prepare(info)

    def _frame(self, decoder: Decoder, picture: Picture) -> None:
        if picture.index in self._skip:
            self._skipped += 1
            text = f"frame {picture.index} was skipped: earlier attempts died at it"
            self._context.send(messages.Warning(text, picture.index))
            return
        self._heartbeat.enter(Lane.TOOLS, Step.FRAME, picture.index)
        row, warnings = self._maker.make(Frame(picture.image, picture.index, picture.timestamp_ms))
        for text in warnings:
            self._warn(text, picture.index)
        self._context.send(row)
        self._rows += 1
        if time.monotonic() >= self._next_timings_s:
            self._send_timings(decoder)

    def _warn(self, text: str, frame: int | None) -> None:
        self._warned += 1
        if self._warned <= _MAX_WARNINGS:
            self._context.send(messages.Warning(text, frame))

    def _say_last(self, decoder: Decoder) -> None:
        if self._warned > _MAX_WARNINGS:
            self._context.send(
                messages.Warning(f"{self._warned - _MAX_WARNINGS} more warnings about values were left out")
            )
        for text in decoder.warnings:
            self._context.send(messages.Warning(text))
        announced = decoder.claims.frames
        if announced is not None and decoder.decoded < announced:
            text = f"the container announced {announced} frames, {decoder.decoded} were decoded"
            self._context.send(messages.Warning(f"{text}, {decoder.corrupt} packets or frames were damaged"))
        self._send_timings(decoder)

    def _send_timings(self, decoder: Decoder) -> None:
        stages = {"decode": round(decoder.decode_ms, 1), "process": round(self._maker.process_ms, 1)}
        self._context.send(messages.Timings(dict(self._maker.latest_ms), stages))
        self._next_timings_s = time.monotonic() + _TIMINGS_EVERY_S


def _facts(decoder: Decoder) -> dict[str, Any]:
    return {
        "frames_decoded": decoder.decoded,
        "frames_corrupt": decoder.corrupt,
        "total_frames": decoder.decoded,
        "codec": decoder.claims.codec,
        "fps": decoder.claims.fps,
        "rotation": decoder.rotation,
        "width": decoder.size_wh[0],
        "height": decoder.size_wh[1],
    }

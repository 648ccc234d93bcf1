"""What is known of one attempt: fed by the sandbox's messages, written into the record by apply().

Everything is kept as it should appear in the record, never as a difference. Writing it twice, after a write whose
answer was lost, therefore changes nothing.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any

from pydantic import ValidationError

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import DecodeFacts, JobRecord, StageTimings
from forgesyte_contracts.progress import MOST_WHILE_RUNNING, percent_of
from forgesyte_contracts.realtime import ProgressStage
from forgesyte_contracts.warnings import JobWarning
from forgesyte_plugin_runner.devices.placement import Placement
from forgesyte_sandbox.shared import messages

from .attempt_warnings import AttemptWarnings, job_warning
from .row_counts import RowCounts

_CHILD_STAGES = ("decode", "process", "encode")
_MAX_NAME_CHARS = 64
_MAX_FIGURE = 2**53
_MAX_MS = 1e12


class AttemptState:
    """The state of one attempt as far as this runner knows it.

    Attributes:
        counts: what its committed rows add up to.
        warnings: its warnings.
        frames_done: frames with a row, committed or not.
        committed_end: the rows of all frames below this one are in the store.
        is_news: something other than progress waits to be written.
        order: of the attempt's last live message; readers of the record know which live messages are older than it.
    """

    def __init__(self, record: JobRecord) -> None:
        self._plugin = record.plugin_id
        self._placement = Placement(record.device)
        self._fallback = (record.fallback, record.fallback_reason)
        self._tools = record.tools
        self._decode = _before_decoding(record.decode)
        self._estimate: int | None = None
        self._total: int | None = None
        self._tool_ms: dict[str, float] = {}
        self._stage_ms: dict[str, float] = {}
        self.counts = RowCounts(record.summary)
        self.warnings = AttemptWarnings(record)
        self.frames_done = self.counts.rows
        self.committed_end = 0
        self._reached = 0
        self._uncommitted: deque[messages.Row] = deque()
        self._is_finished = False
        self.is_news = False
        self.order = record.order

    @property
    def progress_percent(self) -> int:
        """Frames done of the exact total, or of the container's estimate until the total is known."""
        total = self._total if self._total is not None else self._estimate
        return percent_of(self._reached, total, at_most=MOST_WHILE_RUNNING)

    @property
    def stage(self) -> ProgressStage:
        """What the sandbox is doing, as its messages tell."""
        if self._is_finished:
            return ProgressStage.FINISHING
        return ProgressStage.PROCESSING if self.frames_done else ProgressStage.STARTING

    def placed(self, placement: Placement) -> None:
        """Note on which device the attempt runs, and why it is not the one chosen at submit."""
        self._placement = placement
        if placement.reason is not None:
            self._fallback = (True, placement.reason)

    def take(self, message: messages.Message) -> None:
        """Keep what a message of the sandbox reports; whatever a child sends, it must not outgrow the record."""
        match message:
            case messages.Row():
                self._uncommitted.append(replace(message, data=b""))
                self.frames_done += 1
                self._reached = max(self._reached, message.frame_index + 1)
            case messages.Started():
                self._take_start(message)
            case messages.Warning():
                self.warn(job_warning(message))
            case messages.Timings():
                self._take_timings(message)
            case messages.Finished():
                self._take_finish(message.result)

    def warn(self, warning: JobWarning) -> None:
        """Append a warning."""
        self.warnings.add(warning)
        self.is_news = True

    def add_stage_ms(self, stage: str, elapsed_ms: float) -> None:
        """Add to the time spent in one of the runner's own stages (`fetch`, `publish`)."""
        self._stage_ms[stage] = self._stage_ms.get(stage, 0.0) + elapsed_ms

    def commit(self, end_frame: int) -> None:
        """Note that the rows of all frames below `end_frame` are in the store."""
        while self._uncommitted and self._uncommitted[0].frame_index < end_frame:
            self.counts.add(self._uncommitted.popleft())
        self.committed_end = end_frame
        self.is_news = True

    def apply(self, record: JobRecord, now: datetime) -> JobRecord:
        """Return the record with everything that is known of this attempt; see moves.progressed."""
        moved = moves.progressed(
            record,
            now,
            end_frame=self.committed_end or None,
            order=self.order,
            progress=self.progress_percent,
            current_frame=self.frames_done,
            total_frames=self._total,
            device_used=self._placement.device,
            fallback=self._fallback[0],
            fallback_reason=self._fallback[1],
            decode=self._decode_so_far,
            summary=self.counts.summary,
            plugin_timings=self._plugin_timings(),
            stage_timings_ms=StageTimings(**{stage: round(ms, 1) for stage, ms in self._stage_ms.items()}),
        )
        return self.warnings.apply(moved)

    @property
    def _decode_so_far(self) -> DecodeFacts:
        # The decoder reports its figures at the end; until then each frame with a row counts as decoded.
        decoded = max(self._decode.frames_decoded, self._reached)
        return self._decode.model_copy(update={"frames_decoded": decoded})

    def _plugin_timings(self) -> dict[str, float]:
        each = {f"{self._plugin}.{tool}": round(ms, 1) for tool, ms in self._tool_ms.items()}
        return {**each, self._plugin: round(sum(each.values()), 1)} if each else {}

    def _take_start(self, start: messages.Started) -> None:
        self._estimate, self._total = _bounded(start.estimated_total), _bounded(start.total)
        seen: dict[str, Any] = {
            "codec": start.codec,
            "fps": start.fps,
            "fps_nominal": start.fps,
            "clock": start.clock,
            "video_stream": start.video_stream,
            "color": start.color,
            "pixel_aspect": start.pixel_aspect,
            "rotation": start.rotation,
            "width": start.width,
            "height": start.height,
        }
        self._decode = _sane(self._decode.model_copy(update=seen))
        self.is_news = True

    def _take_timings(self, timings: messages.Timings) -> None:
        self._tool_ms.update({tool: ms for tool, ms in timings.process.items() if tool in self._tools and _is_ms(ms)})
        stages = timings.stages.items()
        self._stage_ms.update({stage: ms for stage, ms in stages if stage in _CHILD_STAGES and _is_ms(ms)})
        if timings.estimated_total is not None:
            self._estimate = _bounded(timings.estimated_total)

    def _take_finish(self, result: dict[str, Any]) -> None:
        self._is_finished = True
        known = {name: result[name] for name in DecodeFacts.model_fields if name in result}
        try:
            self._decode = _sane(DecodeFacts.model_validate({**self._decode.model_dump(), **known}))
        except ValidationError:
            self._decode = self._decode.model_copy(update={"frames_decoded": self._reached})
            self.warn(JobWarning(text="the decoder's figures could not be read"))
        self._total = self._reached = self._decode.frames_decoded
        self.is_news = True


def _before_decoding(known: DecodeFacts | None) -> DecodeFacts:
    """Return what was known of the media before, without what an earlier attempt found at its end."""
    unfound = {"frames_decoded": 0, "frames_corrupt": 0, "frames_skipped": 0, "as_stated": None}
    return known.model_copy(update=unfound) if known is not None else DecodeFacts()


def _sane(decode: DecodeFacts) -> DecodeFacts:
    """Return the figures without anything that would not fit into the record or could not be read back from it."""
    figures = {name: _bounded(value) for name, value in decode if isinstance(value, int)}
    texts = {name: value[:_MAX_NAME_CHARS] for name, value in decode if isinstance(value, str)}
    rates = {name: value if isfinite(value) else None for name, value in decode if isinstance(value, float)}
    return decode.model_copy(update={**figures, **texts, **rates})


def _bounded(figure: int | None) -> int | None:
    return None if figure is None else max(-_MAX_FIGURE, min(figure, _MAX_FIGURE))


def _is_ms(elapsed_ms: float) -> bool:
    return isfinite(elapsed_ms) and 0 <= elapsed_ms <= _MAX_MS

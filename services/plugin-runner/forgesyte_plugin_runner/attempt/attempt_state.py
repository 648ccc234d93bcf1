"""What is known of one attempt: fed by the sandbox's messages, written into the record by apply().

Everything is kept as it should stand in the record, never as a difference, so that writing it twice, after a write
whose answer was lost, changes nothing.
"""

from collections import Counter, deque
from datetime import datetime
from math import isfinite
from typing import Any

import orjson
from pydantic import ValidationError

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import MAX_WARNINGS, DecodeFacts, JobRecord, StageTimings
from forgesyte_contracts.results import ResultSummary
from forgesyte_contracts.warnings import JobWarning
from forgesyte_plugin_runner.devices.placement import Placement
from forgesyte_sandbox.shared import messages

from .progress import percent_of

MAX_CLASSES = 100
"""Classes counted by name; what comes later is counted as OTHER, so that no plugin can outgrow the record."""

MAX_CLASSES_BYTES = 8 * 1024
"""What their names may take as JSON in all, for the same reason: a control character takes six bytes there."""

MAX_OLDER_WARNINGS = 1000
"""Warnings kept beside those that go into the record; what comes on top is only counted."""

OTHER = "other"
_CHILD_STAGES = ("decode", "process", "encode")
_MAX_NAME_CHARS = 64
_MAX_FIGURE = 2**53
_MAX_MS = 1e12


class AttemptState:
    """The state of one attempt as far as this runner knows it.

    Attributes:
        frames_done: frames done in this attempt.
        committed_end: rows of all frames below this one are in the store.
        is_news: something other than progress waits to be written.
        order: of the attempt's last live message; whoever reads the record knows which ones are older than it.
    """

    def __init__(self, record: JobRecord) -> None:
        self._plugin = record.plugin_id
        self._placement = Placement(record.device)
        self._fallback = (record.fallback, record.fallback_reason)
        self._tools = record.tools
        self._warnings = deque(record.warnings, maxlen=MAX_WARNINGS)
        self._warnings_dropped = self._first_warning = record.warnings_dropped
        self._older_warnings: list[tuple[int, JobWarning]] = []
        self._decode = _before_decoding(record.decode)
        self._estimate: int | None = None
        self._total: int | None = None
        self._tool_ms: dict[str, float] = {}
        self._stage_ms: dict[str, float] = {}
        self._rows = 0
        self._classes: Counter[str] = Counter()
        self._detections = 0
        self._classes_bytes = 0
        self.frames_done = 0
        self.committed_end = 0
        self.is_news = False
        self.order = record.order

    @property
    def progress_percent(self) -> int:
        """Frames done of the exact total, or of the container's estimate while that is not known."""
        return percent_of(self.frames_done, self._total if self._total is not None else self._estimate)

    @property
    def summary(self) -> ResultSummary:
        """What the rows hold so far."""
        return ResultSummary(
            frame_count=self._rows, detection_count=self._detections, classes=dict(sorted(self._classes.items()))
        )

    @property
    def decode(self) -> DecodeFacts:
        """What the decoder met so far."""
        return self._decode

    @property
    def total_frames(self) -> int | None:
        """The exact number of frames, None until it is known."""
        return self._total

    def placed(self, placement: Placement) -> None:
        """Note on which device the attempt runs, and why it is not the one that was chosen at submit."""
        self._placement = placement
        if placement.reason is not None:
            self._fallback = (True, placement.reason)

    def take(self, message: messages.Message) -> None:
        """Keep what a message of the sandbox says; a child may say anything, so nothing in it may grow the record."""
        match message:
            case messages.Row():
                self._take_row(message)
            case messages.Started():
                self._take_start(message)
            case messages.Warning():
                self.warn(job_warning(message))
            case messages.Timings():
                self._take_timings(message)
            case messages.Finished():
                self._take_finish(message.result)

    def warn(self, warning: JobWarning) -> None:
        """Add a warning behind the others."""
        if len(self._warnings) == MAX_WARNINGS:
            if len(self._older_warnings) < MAX_OLDER_WARNINGS:
                self._older_warnings.append((self._warnings_dropped, self._warnings[0].cut()))
            self._warnings_dropped += 1
        self._warnings.append(warning)
        self.is_news = True

    @property
    def warning_count(self) -> int:
        """How many warnings the job has, those that no record has room for too."""
        return self._warnings_dropped + len(self._warnings)

    def beyond(self, record: JobRecord) -> list[tuple[int, JobWarning]]:
        """Every warning this attempt knows of with its index, when `record` as it wrote it does not hold them all."""
        if max(record.warnings_dropped, self._warnings_dropped) == self._first_warning:
            return []
        return [
            *self._older_warnings,
            *enumerate((warning.cut() for warning in self._warnings), self._warnings_dropped),
        ]

    def add_stage_ms(self, stage: str, elapsed_ms: float) -> None:
        """Add to the time one of the runner's own stages took (`fetch`, `publish`)."""
        self._stage_ms[stage] = self._stage_ms.get(stage, 0.0) + elapsed_ms

    def commit(self, end_frame: int) -> None:
        """Note that all rows below `end_frame` are in the store."""
        self.committed_end = end_frame
        self.is_news = True

    def apply(self, record: JobRecord, now: datetime) -> JobRecord:
        """The record with everything that is known of this attempt; see moves.progressed."""
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
            summary=self.summary,
            plugin_timings=self._plugin_timings(),
            stage_timings_ms=StageTimings(**{stage: round(ms, 1) for stage, ms in self._stage_ms.items()}),
        )
        unwarned = {"warnings": (), "warnings_dropped": self._warnings_dropped}
        return moves.warned(moved.model_copy(update=unwarned), self._warnings)

    @property
    def _decode_so_far(self) -> DecodeFacts:
        # The decoder tells its figures at the end; until then each row stands for a frame that was decoded.
        decoded = max(self._decode.frames_decoded, self.frames_done)
        return self._decode.model_copy(update={"frames_decoded": decoded})

    def _plugin_timings(self) -> dict[str, float]:
        each = {f"{self._plugin}.{tool}": round(ms, 1) for tool, ms in self._tool_ms.items()}
        return {**each, self._plugin: round(sum(each.values()), 1)} if each else {}

    def _take_row(self, row: messages.Row) -> None:
        self._rows += 1
        self._detections += row.detections
        for name, count in row.classes.items():
            self._classes[self._class_of(name[:_MAX_NAME_CHARS])] += count
        self.frames_done = max(self.frames_done, row.frame_index + 1)

    def _class_of(self, name: str) -> str:
        """Under which name a class is counted: its own, while there is room for it."""
        if name in self._classes:
            return name
        size = len(orjson.dumps(name))
        if len(self._classes) >= MAX_CLASSES or self._classes_bytes + size > MAX_CLASSES_BYTES:
            return OTHER
        self._classes_bytes += size
        return name

    def _take_start(self, start: messages.Started) -> None:
        self._estimate, self._total = _bounded(start.estimated_total), _bounded(start.total)
        seen: dict[str, Any] = {
            "codec": start.codec,
            "fps": start.fps,
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

    def _take_finish(self, result: dict[str, Any]) -> None:
        known = {name: result[name] for name in DecodeFacts.model_fields if name in result}
        try:
            self._decode = _sane(DecodeFacts.model_validate({**self._decode.model_dump(), **known}))
        except ValidationError:
            self._decode = self._decode.model_copy(update={"frames_decoded": self.frames_done})
            self.warn(JobWarning(text="the decoder's figures could not be read"))
        self._total = self.frames_done = self._decode.frames_decoded
        self.is_news = True


def job_warning(message: messages.Warning) -> JobWarning:
    """Return a sandbox's warning as the record keeps it."""
    return JobWarning(text=message.text, frame_index=message.frame_index)


def _before_decoding(known: DecodeFacts | None) -> DecodeFacts:
    """What was known of the media before, without what an earlier attempt counted."""
    uncounted = {"frames_decoded": 0, "frames_corrupt": 0, "frames_skipped": 0}
    return known.model_copy(update=uncounted) if known is not None else DecodeFacts()


def _sane(decode: DecodeFacts) -> DecodeFacts:
    """The figures with nothing in them that would not fit the record, or not be read back from it."""
    figures = {name: _bounded(value) for name, value in decode if isinstance(value, int)}
    codec = None if decode.codec is None else decode.codec[:_MAX_NAME_CHARS]
    fps = decode.fps if decode.fps is not None and isfinite(decode.fps) else None
    return decode.model_copy(update={**figures, "codec": codec, "fps": fps})


def _bounded(figure: int | None) -> int | None:
    return None if figure is None else max(-_MAX_FIGURE, min(figure, _MAX_FIGURE))


def _is_ms(elapsed_ms: float) -> bool:
    return isfinite(elapsed_ms) and 0 <= elapsed_ms <= _MAX_MS

"""Sums up the rows of a job by class and by track, for a timeline that a page can draw.

Rows are read as a stream and counted in a thread, a batch at a time: what is in memory is bounded by bins and lanes,
however long the video is. Rows come in frame order, so the runs of a lane only ever grow at their end. Sums in many
bins are folded into fewer without a look at the rows, and exactly: see bins_of().
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from forgesyte_contracts.boxes import box_items, outputs_of
from forgesyte_contracts.http.timeline import MAX_BINS, MAX_LANES, Run, TimelineLane

MAX_TOLD_APART = 100_000
"""How many classes and tracks without a lane are counted one by one."""

_MAX_NAME_CHARS = 64
_Key = tuple[Literal["class", "track"], str, str | int | None]


@dataclass(slots=True)
class _Lane:
    kind: Literal["class", "track"]
    tool: str
    name: str | int | None
    class_name: str | None
    first_frame: int
    last_frame: int = 0
    frames: int = 0
    detections: int = 0
    runs: list[list[int]] = field(default_factory=list)

    def add(self, frame: int, place: int, count: int) -> None:
        self.last_frame = frame
        self.frames += 1
        self.detections += count
        _extend(self.runs, place, place, count)

    def view(self) -> TimelineLane:
        return TimelineLane(
            kind=self.kind,
            tool=self.tool,
            class_=self.class_name,
            track_id=self.name if self.kind == "track" else None,
            frames=self.frames,
            detections=self.detections,
            first_frame=self.first_frame,
            last_frame=self.last_frame,
            runs=[(first, last, count) for first, last, count in self.runs],
        )


class TimelineSums:
    """The sums over the rows of one job.

    Args:
        tools: the job's tools, in order.
        bins: into how many bins the frames are cut.
        total_frames: how many frames the bins cover.
    """

    def __init__(self, tools: Sequence[str], *, bins: int, total_frames: int) -> None:
        self._tools = tools
        self._bins = bins
        self._total = max(total_frames, 1)
        self._lanes: dict[str, dict[_Key, _Lane]] = {"class": {}, "track": {}}
        self._left_out: set[_Key] = set()

    def add(self, rows: Iterable[bytes]) -> None:
        """Count rows.

        Args:
            rows: JSON objects as they are stored, in frame order, behind those that were counted before.
        """
        for row in rows:
            self._add_row(orjson.loads(row))

    def lanes(self) -> tuple[list[TimelineLane], int]:
        """Return the lanes in their order, and how many were left out."""
        classes = sorted(self._lanes["class"].values(), key=lambda lane: -lane.detections)
        tracks = list(self._lanes["track"].values())  # in the order of their first frames, as rows come in order
        kept = [*classes, *tracks]
        omitted = len(kept[MAX_LANES:]) + len(self._left_out)
        return [lane.view() for lane in kept[:MAX_LANES]], omitted

    def _add_row(self, row: dict[str, Any]) -> None:
        frame = row["frame_index"]
        place = min(frame * self._bins // self._total, self._bins - 1)
        counts: dict[_Key, int] = {}
        classes: dict[_Key, str | None] = {}
        for key, class_name in self._found(row):
            counts[key] = counts.get(key, 0) + 1
            classes.setdefault(key, class_name)
        for key, count in counts.items():
            if (lane := self._lane(key, classes[key], frame)) is not None:
                lane.add(frame, place, count)

    def _found(self, row: dict[str, Any]) -> Iterator[tuple[_Key, str | None]]:
        """Yield what each box counts for, and the box's class: for its class, and for its track if it has one."""
        for tool, output in outputs_of(row, self._tools):
            for box in box_items(output):
                class_name = _class_of(box)
                yield ("class", tool, class_name), class_name
                if (track := _track_of(box)) is not None:
                    yield ("track", tool, track), class_name

    def _lane(self, key: _Key, class_name: str | None, frame: int) -> _Lane | None:
        lanes = self._lanes[key[0]]
        lane = lanes.get(key)
        if lane is None and len(lanes) < MAX_LANES:
            lane = lanes[key] = _Lane(*key, class_name, frame)
        if lane is None and len(self._left_out) < MAX_TOLD_APART:
            self._left_out.add(key)
        return lane


def bins_of(total_frames: int, *, at_most: int = MAX_BINS) -> int:
    """Return into how many bins frames are cut: the most for which a fold puts each frame where a count would.

    Args:
        total_frames: how many frames there are.
        at_most: how many bins were asked for; sums are made in bins_of(total_frames).
    """
    if total_frames <= MAX_BINS:  # each frame has a bin of its own there
        return max(min(at_most, total_frames), 1)
    return next(bins for bins in range(at_most, 0, -1) if MAX_BINS % bins == 0)


def folded(lanes: Iterable[TimelineLane], bins: int, fewer: int) -> list[TimelineLane]:
    """Return lanes over `bins` bins as lanes over `fewer`."""
    return [lane.model_copy(update={"runs": _folded(lane.runs, bins, fewer)}) for lane in lanes]


def _folded(runs: Iterable[Run], bins: int, fewer: int) -> list[Run]:
    wider: list[list[int]] = []
    for first, last, count in runs:
        _extend(wider, first * fewer // bins, last * fewer // bins, count)
    return [(first, last, count) for first, last, count in wider]


def _extend(runs: list[list[int]], first: int, last: int, count: int) -> None:
    newest = runs[-1] if runs else None
    if newest is not None and first <= newest[1] + 1:
        newest[1] = last
        newest[2] += count
    else:
        runs.append([first, last, count])


def _class_of(box: dict[str, Any]) -> str | None:
    """Return the class under which a box is counted; a plugin may put anything under any name."""
    named = box.get("class")
    if named is None:
        named = box.get("class_id")
    if isinstance(named, str):
        return named[:_MAX_NAME_CHARS]
    return str(named) if isinstance(named, int) else None


def _track_of(box: dict[str, Any]) -> str | int | None:
    track = box.get("track_id")
    if isinstance(track, str):
        return track[:_MAX_NAME_CHARS]
    return track if isinstance(track, int) and not isinstance(track, bool) else None

"""What a watcher sees of frames: the newest rows, and a preview picture with the boxes of its row.

Both are bounded and the newest wins. No job ever waits for them: the rows themselves reach the store by another path.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from math import isfinite
from typing import Any

import orjson

from forgesyte_chassis.clock import Clock
from forgesyte_contracts.boxes import FoundBox, boxes_of, outputs_of
from forgesyte_contracts.realtime import Box, FrameData
from forgesyte_sandbox.shared.messages import Preview, Row

MAX_PARTIAL_BYTES = 60 * 1024
"""JSON of the rows in one message; with its envelope the message stays within 64 KiB."""

MAX_BOXES = 500
"""Boxes shown in one preview; the row has them all."""

PREVIEWS_PER_SECOND = 5
_MAX_CLASS_CHARS = 64


class NewestRows:
    """The newest rows not shown yet, as many as fit into one message."""

    def __init__(self) -> None:
        self._rows: deque[bytes] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many rows wait."""
        return len(self._rows)

    def add(self, row: bytes) -> None:
        """Add a row (JSON), dropping the oldest ones to make room. A row too large for any message is left out."""
        if len(row) > MAX_PARTIAL_BYTES:
            return
        self._rows.append(row)
        self._bytes += len(row) + 1
        while self._bytes > MAX_PARTIAL_BYTES:
            self._bytes -= len(self._rows.popleft()) + 1

    def take(self) -> tuple[dict[str, Any], ...]:
        """Remove and return them, oldest first."""
        rows, self._rows, self._bytes = self._rows, deque(), 0
        return tuple(orjson.loads(row) for row in rows)


class Previews:
    """The newest preview not shown yet, at most PREVIEWS_PER_SECOND in any second.

    Args:
        tools: the job's, in its order.
        clock: the runner's.
    """

    def __init__(self, tools: Sequence[str], clock: Clock) -> None:
        self._tools = tools
        self._clock = clock
        self._row: Row | None = None
        self._waiting: tuple[Preview, Row | None] | None = None
        self._shown_s: deque[float] = deque(maxlen=PREVIEWS_PER_SECOND)

    def note(self, row: Row) -> None:
        """Remember a row, in case a preview of its frame follows."""
        self._row = row

    def offer(self, preview: Preview) -> None:
        """Take a preview; it replaces the one that waits."""
        row = self._row if self._row is not None and self._row.frame_index == preview.frame_index else None
        self._waiting = preview, row

    def take_due(self) -> tuple[int, FrameData] | None:
        """Remove the waiting preview, if it may be shown now, and return its frame and what to show."""
        now_s = self._clock.monotonic_s()
        is_early = len(self._shown_s) == PREVIEWS_PER_SECOND and now_s - self._shown_s[0] < 1.0
        if self._waiting is None or is_early:
            return None
        (preview, row), self._waiting = self._waiting, None
        self._shown_s.append(now_s)
        boxes = () if row is None else boxes_in(orjson.loads(row.data), self._tools)
        image = f"data:image/jpeg;base64,{b64encode(preview.jpeg).decode()}"
        return preview.frame_index, FrameData(boxes=boxes, width=preview.width, height=preview.height, image=image)

    def clear(self) -> None:
        """Forget everything: the job is no longer watched."""
        self._row = self._waiting = None


def boxes_in(row: dict[str, Any], tools: Sequence[str]) -> tuple[Box, ...]:
    """Return the boxes of a row as watchers see them: at most MAX_BOXES, in the row's order."""
    found = (box for tool, output in outputs_of(row, tools) for box in boxes_of(tool, output) or ())
    made = (_box(each, each.corners) for each in found)
    shown: list[Box] = []
    for box in made:
        if len(shown) == MAX_BOXES:
            break
        if box is not None:
            shown.append(box)
    return tuple(shown)


def _box(found: FoundBox, corners: tuple[float, float, float, float] | None) -> Box | None:
    if corners is None:
        return None
    x1, y1, x2, y2 = corners
    if not (isfinite(x2 - x1) and isfinite(y2 - y1)):
        return None
    name = found.class_name if found.class_name is not None else found.class_id
    confidence = found.confidence
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool) and isfinite(confidence)
    return Box(
        x=round(x1, 2),
        y=round(y1, 2),
        width=round(x2 - x1, 2),
        height=round(y2 - y1, 2),
        confidence=float(confidence) if is_number else None,
        class_=_label(name),
        track_id=_label(found.track_id),
    )


def _label(value: object) -> str | int | None:
    if isinstance(value, str):
        return value[:_MAX_CLASS_CHARS]
    return value if isinstance(value, int) and not isinstance(value, bool) else None

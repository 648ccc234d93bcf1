"""The boxes in a row's plain JSON, whatever tool made it: drawings and exports read them alike.

A tool's own output type is not known here. Only its shape counts: a list of objects that each have `xyxy`, under any
name. Nothing beyond that shape is checked, because rows were validated when they were made; an object without it is
not a box. This module imports nothing heavy, so that any service may use it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeGuard

BOX_LISTS = frozenset({"regions", "detections", "tracked_objects", "text_blocks"})
"""Names under which outputs keep boxes; an empty list under one of them means that nothing was found."""

_KNOWN = frozenset({"xyxy", "center", "track_id", "class_id", "class", "confidence", "area", "share"})


@dataclass(frozen=True, slots=True)
class FoundBox:
    """One box of one tool in one frame; attributes that the tool does not give are None.

    Attributes:
        tool: the tool's id.
        xyxy: left, top, right, bottom in upright pixels, as in the row; a value that was not finite is None.
        track_id: unique within the job.
        class_id: the class as a number.
        class_name: the class as a word.
        confidence: 0 to 1.
        area: pixels of the frame.
        share: `area` as a share of the frame, 0 to 1.
        rest: everything else the tool gives.
    """

    tool: str
    xyxy: Sequence[float | None]
    track_id: Any
    class_id: Any
    class_name: Any
    confidence: Any
    area: Any
    share: Any
    rest: dict[str, Any]

    @property
    def corners(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom with left <= right and top <= bottom; None when one of them is not a number."""
        numbers = [float(value) for value in self.xyxy if _is_number(value)]
        if len(numbers) != 4:
            return None
        x1, y1, x2, y2 = numbers
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def outputs_of(row: dict[str, Any], tools: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield each tool's id and output in a row: under `detections` for a single tool, else under the tool's own key."""
    if len(tools) == 1:
        if "detections" in row:
            yield tools[0], row["detections"]
        return
    for tool in tools:
        if tool in row:
            yield tool, row[tool]


def boxes_of(tool: str, output: object) -> list[FoundBox] | None:
    """Return the boxes of one tool's output in their order; None when its type has no boxes."""
    found = [_box(tool, item) for item in box_items(output)]
    return found if found or _has_box_list(output) else None


def box_items(output: object) -> list[dict[str, Any]]:
    """Return the boxes of one tool's output as they stand in the row, for who counts millions of them."""
    if not isinstance(output, dict):
        return []
    return [item for items in output.values() if isinstance(items, list) for item in items if _is_box(item)]


def _has_box_list(output: object) -> bool:
    return isinstance(output, dict) and any(isinstance(output.get(name), list) for name in BOX_LISTS)


def _box(tool: str, item: dict[str, Any]) -> FoundBox:
    return FoundBox(
        tool=tool,
        xyxy=item["xyxy"],
        track_id=item.get("track_id"),
        class_id=item.get("class_id"),
        class_name=item.get("class"),
        confidence=item.get("confidence"),
        area=item.get("area"),
        share=item.get("share"),
        rest={name: value for name, value in item.items() if name not in _KNOWN},
    )


def _is_box(item: object) -> bool:
    return isinstance(item, dict) and isinstance(box := item.get("xyxy"), list) and len(box) == 4


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

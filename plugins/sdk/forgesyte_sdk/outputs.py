"""Typed outputs of one frame, which results, exports, previews and summaries understand.

All boxes are in upright input pixels, x to the right and y down, with the origin in the upper left corner. A plugin may
define its own output; if it derives from ToolOutput, it takes part in the summary's counts.
"""

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, computed_field

XYXY = Annotated[tuple[float, float, float, float], Field(description="left, top, right, bottom in upright pixels")]
Share = Annotated[float, Field(ge=0, le=1)]


class ToolOutput(BaseModel):
    """Base of a tool's output for one frame."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, populate_by_name=True)

    def count(self) -> int:
        """Return how many detections this frame adds to the summary."""
        return 0

    def class_counts(self) -> dict[str, int]:
        """Return how many detections of each named class this frame adds to the summary."""
        return {}


class _Located(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, populate_by_name=True)

    xyxy: XYXY

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorated property; pydantic documents this form
    @property
    def center(self) -> tuple[float, float]:
        """Centre of the box: x, y in upright pixels."""
        left, top, right, bottom = self.xyxy
        return (left + right) / 2, (top + bottom) / 2


class Region(_Located):
    """A part of the frame without a class, for example something that moves."""

    area: float = Field(ge=0)
    """Pixels of the frame that belong to the region itself; at most the area of its box."""
    share: Share
    """`area` as a fraction of the whole frame, 0 to 1."""


class Regions(ToolOutput):
    """Regions of one frame."""

    regions: list[Region]
    motion_share: Share | None = None
    """Fraction of the frame that moves, 0 to 1, small regions included; None when the tool does not measure it."""

    def count(self) -> int:
        """Return one detection per region."""
        return len(self.regions)


class Box(_Located):
    """An object and its box."""

    confidence: Share
    class_id: int | None = None
    class_name: str | None = Field(default=None, alias="class")
    """What the object is; written as `class`. None when the tool knows no classes."""


class Detections(ToolOutput):
    """Objects found in one frame, without memory of earlier frames."""

    detections: list[Box]

    def count(self) -> int:
        """Return one detection per box."""
        return len(self.detections)

    def class_counts(self) -> dict[str, int]:
        """Return the number of boxes per named class."""
        return _count_classes(self.detections)


class TrackedObject(Box):
    """An object that keeps its id from frame to frame."""

    track_id: int
    """Unique within the job; never reused for another object."""


class TrackedObjects(ToolOutput):
    """Objects of one frame with their track ids."""

    tracked_objects: list[TrackedObject]

    def count(self) -> int:
        """Return one detection per object in this frame."""
        return len(self.tracked_objects)

    def class_counts(self) -> dict[str, int]:
        """Return the number of objects in this frame per named class."""
        return _count_classes(self.tracked_objects)


def _count_classes(boxes: list[Box] | list[TrackedObject]) -> dict[str, int]:
    return dict(Counter(box.class_name for box in boxes if box.class_name is not None))


def count_detections(output: BaseModel) -> tuple[int, dict[str, int]]:
    """Return what one frame's output adds to the summary: detections in total, and per class.

    A model that does not derive from ToolOutput adds nothing.
    """
    if isinstance(output, ToolOutput):
        return output.count(), output.class_counts()
    return 0, {}

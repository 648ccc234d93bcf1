"""What the rows of one attempt add up to: frames with a row, detections, and detections per class.

A plugin may report anything, so classes are counted by name only up to a limit; the rest is counted together.
"""

from collections import Counter

import orjson

from forgesyte_contracts.results import ResultSummary
from forgesyte_sandbox.shared.messages import Row

MAX_CLASSES = 100
"""Classes counted by name; later ones are counted as OTHER, so that no plugin can outgrow the record."""

MAX_CLASSES_BYTES = 8 * 1024
"""Bytes the class names may take as JSON in total, for the same reason: a control character takes six bytes there."""

OTHER = "other"
_MAX_NAME_CHARS = 64


class RowCounts:
    """The counts of one attempt.

    Args:
        summary: what the rows added up to so far; None for an attempt that begins.

    Attributes:
        rows: how many rows there are.
    """

    def __init__(self, summary: ResultSummary | None = None) -> None:
        known = summary or ResultSummary()
        self.rows = known.frame_count
        self._detections = known.detection_count
        self._classes: Counter[str] = Counter(known.classes)
        self._classes_bytes = sum(_json_bytes(name) for name in known.classes if name != OTHER)

    @property
    def summary(self) -> ResultSummary:
        """What the rows add up to so far."""
        return ResultSummary(
            frame_count=self.rows, detection_count=self._detections, classes=dict(sorted(self._classes.items()))
        )

    def add(self, row: Row) -> None:
        """Count one row."""
        self.rows += 1
        self._detections += row.detections
        for name, count in row.classes.items():
            self._classes[self._counted_as(name[:_MAX_NAME_CHARS])] += count

    def _counted_as(self, name: str) -> str:
        """The name under which a class is counted: its own while the limits allow it."""
        if name in self._classes:
            return name
        size = _json_bytes(name)
        if len(self._classes) >= MAX_CLASSES or self._classes_bytes + size > MAX_CLASSES_BYTES:
            return OTHER
        self._classes_bytes += size
        return name


def _json_bytes(name: str) -> int:
    return len(orjson.dumps(name))

"""Rows as comma-separated lines, one per detection, for spreadsheets and data frames.

The first line names the columns; the form is RFC 4180 in UTF-8, so `pandas.read_csv(url)` needs no options. A frame in
which a tool found nothing has no line of that tool; the number of frames is in the result document. What has no column
of its own goes into `output` as JSON: the text of a text block, or the whole output of a tool whose type has no boxes
(then one line per frame). What belongs to the frame and not to one of its boxes is left out.

Text that a spreadsheet would take for a formula is prefixed with an apostrophe: class names come from plugins and,
through text in pictures, from strangers.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from forgesyte_contracts.boxes import FoundBox, boxes_of, outputs_of

COLUMNS = (
    "frame_index", "timestamp_ms", "tool", "track_id", "class_id", "class", "confidence",
    "x1", "y1", "x2", "y2", "area", "share", "output",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_header() -> bytes:
    """Return the first line.

    >>> csv_header()[:36]
    b'frame_index,timestamp_ms,tool,track_'
    """
    return _written([COLUMNS])


def csv_lines(rows: Iterable[bytes], tools: Sequence[str]) -> bytes:
    """Turn rows into lines.

    Args:
        rows: JSON objects, as they are stored.
        tools: the job's tools, in order.

    >>> row = b'{"frame_index":3,"timestamp_ms":120.0,"detections":{"regions":[{"xyxy":[1,2,3,4],"area":4.0}]}}'
    >>> csv_lines([row], ["detect-motion"])
    b'3,120.0,detect-motion,,,,,1,2,3,4,4.0,,\\r\\n'
    """
    return _written(line for row in rows for line in _lines_of(orjson.loads(row), tools))


def _lines_of(row: dict[str, Any], tools: Sequence[str]) -> Iterable[Sequence[Any]]:
    for tool, output in outputs_of(row, tools):
        begin = (row["frame_index"], row.get("timestamp_ms"), _cell(tool))
        boxes = boxes_of(tool, output)
        if boxes is None:
            yield (*begin, *("",) * 10, _json(output))
        else:
            for box in boxes:
                yield (*begin, *_cells_of(box))


def _cells_of(box: FoundBox) -> Iterable[Any]:
    ids = (box.track_id, box.class_id, box.class_name, box.confidence)
    rest = _json(box.rest) if box.rest else ""
    return (*map(_cell, (*ids, *box.xyxy, box.area, box.share)), rest)


def _cell(value: object) -> object:
    """Return a value as the writer accepts it; a plugin may put anything under any name."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return value if value is None or isinstance(value, int | float) else _json(value)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _written(lines: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode()

"""Boxes with labels drawn into a picture, readable from a thumbnail to 4K: line and text grow with the picture.

The font is OpenCV's own, so nothing has to be installed and no font file is parsed; it knows only ASCII, and other
characters show as question marks. Rejected: Pillow (a second imaging library in the warm process).
"""

import colorsys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from forgesyte_contracts.boxes import FoundBox
from forgesyte_sdk import Image

Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22
"""Height of a capital at scale 1."""
_LEAST_TEXT_PX = 9
_LEAST_LABELLED_PX = 64
_MAX_LABEL_CHARS = 40
_GOLDEN = 0.618034
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Pen:
    """Line width, text scale and padding in pixels of the picture."""

    line_px: int
    text_scale: float
    text_px: int
    pad_px: int
    has_labels: bool

    @classmethod
    def for_size(cls, width: int, height: int) -> "Pen":
        """Choose them for a picture of this size; one that is too small for text gets boxes without labels."""
        short = min(width, height)
        text_px = max(_LEAST_TEXT_PX, round(short * 0.02))
        return cls(
            line_px=max(1, round(short / 250)),
            text_scale=text_px / _FONT_PX,
            text_px=max(1, round(text_px / 11)),
            pad_px=max(2, round(text_px / 4)),
            has_labels=short >= _LEAST_LABELLED_PX,
        )


def draw_boxes(image: Image, boxes: Sequence[FoundBox], *, scale_xy: tuple[float, float]) -> None:
    """Draw boxes into a picture, in place. Labels come last, so that no box crosses one.

    Boxes with neither id nor class, such as regions that move, are pale and lie below the others, with their label at
    the lower edge: where several tools find the same thing, all labels stay readable.

    Args:
        image: uint8, shape (h, w, 3), BGR, writable.
        boxes: in coordinates of the input.
        scale_xy: pixels of the picture for one pixel of the input.
    """
    height, width = image.shape[:2]
    pen = Pen.for_size(width, height)
    named_last = sorted(boxes, key=_is_named)
    placed = [(box, corners) for box in named_last if (corners := _placed(box, scale_xy, (width, height)))]
    for box, (x1, y1, x2, y2) in placed:
        cv2.rectangle(image, (x1, y1), (x2, y2), colour_of(box), pen.line_px)
    if pen.has_labels:
        for box, corners in placed:
            if text := label_of(box):
                _draw_label(image, text, _Place(*corners, is_below=not _is_named(box)), colour_of(box), pen)


def label_of(box: FoundBox) -> str:
    """Return the label: id, class (else its number), confidence; for a box with none of them its share in %."""
    name = box.class_name if box.class_name is not None else box.rest.get("text", box.class_id)
    parts = [
        "" if box.track_id is None else f"#{box.track_id}",
        "" if name is None else str(name)[:_MAX_LABEL_CHARS],
        f"{box.confidence:.2f}" if isinstance(box.confidence, int | float) else "",
    ]
    text = " ".join(part for part in parts if part)
    if not text and isinstance(box.share, int | float):
        text = f"{box.share:.1%}"
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:_MAX_LABEL_CHARS]


def colour_of(box: FoundBox) -> Colour:
    """Choose the colour (BGR) by the track's id, else by the class, else by the tool; the same in every frame."""
    if isinstance(box.track_id, int):
        number = box.track_id
    else:
        name = next((each for each in (box.class_name, box.class_id) if each is not None), box.tool)
        number = zlib.crc32(str(name).encode(errors="replace")) % 997
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1.0, 0.8 if _is_named(box) else 0.25, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


@dataclass(frozen=True, slots=True)
class _Place:
    """First and last pixel of a box, and at which edge its label is."""

    x1: int
    y1: int
    x2: int
    y2: int
    is_below: bool

    def label_top(self, label_h: int, height: int) -> int:
        """The label's first row: outside the box where it fits, else inside."""
        if self.is_below:
            top = self.y2 + 1 if self.y2 + 1 + label_h <= height else self.y2 - label_h
        else:
            top = self.y1 - label_h if self.y1 >= label_h else self.y1
        return max(0, min(top, height - label_h))


def _is_named(box: FoundBox) -> bool:
    return any(each is not None for each in (box.track_id, box.class_name, box.class_id, box.confidence))


def _placed(box: FoundBox, scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the first and last pixel of the box in the picture; None when it lies outside."""
    corners = box.corners
    if corners is None:
        return None
    along_x = _span(corners[0], corners[2], scale_xy[0], size_wh[0])
    along_y = _span(corners[1], corners[3], scale_xy[1], size_wh[1])
    if along_x is None or along_y is None:
        return None
    return along_x[0], along_y[0], along_x[1], along_y[1]


def _span(low: float, high: float, scale: float, size: int) -> tuple[int, int] | None:
    # Clamped as floats: a plugin may return numbers that no integer of OpenCV can hold.
    first = min(max(low * scale, -1.0), size + 1.0)
    last = min(max(high * scale, -1.0), size + 1.0)
    if last < 0 or first > size:
        return None
    return round(first), max(round(first), round(last) - 1)


def _draw_label(image: Image, text: str, place: _Place, colour: Colour, pen: Pen) -> None:
    height, width = image.shape[:2]
    (text_w, text_h), below = cv2.getTextSize(text, _FONT, pen.text_scale, pen.text_px)
    label_w, label_h = text_w + 2 * pen.pad_px, text_h + below + pen.pad_px
    left, top = max(0, min(place.x1, width - label_w)), place.label_top(label_h, height)
    cv2.rectangle(image, (left, top), (left + label_w, top + label_h), colour, cv2.FILLED)
    ink = _BLACK if np.dot(colour, (0.114, 0.587, 0.299)) > 140 else _WHITE
    at = (left + pen.pad_px, top + text_h + pen.pad_px // 2)
    cv2.putText(image, text, at, _FONT, pen.text_scale, ink, pen.text_px, cv2.LINE_AA)

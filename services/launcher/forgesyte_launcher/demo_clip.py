"""A clip with a known ground truth: shapes that move over a noisy, textured, still background and leave it.

`python -m forgesyte_launcher.demo_clip OUT.mp4` draws and encodes it, in a process of its own. av and numpy are
imported inside the functions that draw, so a module that imports `truth` and `compare` stays light. The clip is the
same at each run (fixed seed), and the shapes never touch each other, so every frame has one right answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 30, 300

XYXY = tuple[float, float, float, float]

MATCH_IOU = 0.5
"""A region matches a shape when the IoU of their boxes is at least this."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing that moves in a straight line.

    Attributes:
        kind: its outline.
        bgr: its colour, 0 to 255 each.
        size_wh: width and height in pixels.
        start_xy: its centre at `first_frame`, in pixels, outside of the frame.
        step_xy: how far it moves per frame, in pixels.
        first_frame: the frame in which it starts to move.
    """

    kind: Literal["disc", "bar", "diamond"]
    bgr: tuple[int, int, int]
    size_wh: tuple[int, int]
    start_xy: tuple[float, float]
    step_xy: tuple[float, float]
    first_frame: int

    def center(self, frame: int) -> tuple[float, float]:
        """Return its centre at `frame`: x, y in pixels, possibly outside of the frame."""
        steps = max(0, frame - self.first_frame)
        return self.start_xy[0] + steps * self.step_xy[0], self.start_xy[1] + steps * self.step_xy[1]


SHAPES = (
    Shape("disc", (40, 200, 230), (70, 70), (-36.0, 90.0), (4.0, 0.6), 20),
    Shape("bar", (60, 50, 210), (90, 54), (686.0, 270.0), (-3.5, 0.0), 70),
    Shape("diamond", (30, 30, 25), (60, 60), (450.0, -31.0), (0.8, 3.2), 130),
)


@dataclass(frozen=True, slots=True)
class TrueBox:
    """Where a shape is visible. `certain` is False while less than half of it is in the frame."""

    xyxy: XYXY
    certain: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How regions compare with the truth, over all frames.

    Attributes:
        recall: the share of the certain boxes that a region matches, 0 to 1 (1 when there are none).
        precision: the share of the regions that match a shape, 0 to 1 (1 when there are none).
        mean_iou: of the matched boxes; 0 when there are none.
        matched: how many certain boxes have a region.
        missed: how many certain boxes have none.
        extra: how many regions have no shape.
    """

    recall: float
    precision: float
    mean_iou: float
    matched: int
    missed: int
    extra: int


def truth() -> list[list[TrueBox]]:
    """Return the boxes of each frame, clipped to the frame, in pixels."""
    return [[box for shape in SHAPES if (box := _seen(shape, frame))] for frame in range(FRAMES)]


def compare(expected: Sequence[Sequence[TrueBox]], rows: Sequence[dict[str, Any]]) -> Score:
    """Score the rows of detect-motion against the truth.

    In each frame the pair with the largest IoU is matched first, then the next, down to MATCH_IOU. recall =
    matched / (matched + missed), precision = matched / (matched + extra). A shape that is not certain never counts
    as missed, and a region that touches it never counts as extra.
    Source: M. Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88 (2010), section 4.2
    (there such boxes are called difficult).

    Args:
        expected: the boxes of each frame, from `truth`.
        rows: result rows {frame_index, detections: {regions: [{xyxy}]}}; a frame without a row has no regions.
    """
    found = {row["frame_index"]: [tuple(region["xyxy"]) for region in row["detections"]["regions"]] for row in rows}
    ious: list[float] = []
    missed = extra = 0
    for frame, boxes in enumerate(expected):
        pairs, left_boxes, left_regions = _matched(boxes, found.get(frame, []))
        ious += pairs
        missed += sum(box.certain for box in left_boxes)
        unsure = [box.xyxy for box in boxes if not box.certain]
        extra += sum(not any(iou(region, box) > 0 for box in unsure) for region in left_regions)
    matched = len(ious)
    return Score(
        recall=matched / (matched + missed) if matched + missed else 1.0,
        precision=matched / (matched + extra) if matched + extra else 1.0,
        mean_iou=sum(ious) / matched if matched else 0.0,
        matched=matched,
        missed=missed,
        extra=extra,
    )


def iou(one: XYXY, other: XYXY) -> float:
    """Return the intersection over union of two boxes, 0 to 1."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (_area(one) + _area(other) - wide * high)


def make_clip(path: Path) -> list[list[TrueBox]]:
    """Draw and encode the clip (H.264 if the encoder is available, else MPEG-4 part 2).

    Args:
        path: the file to write; its suffix chooses the container.

    Returns:
        The ground truth.
    """
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = cast(av.VideoStream, container.add_stream(codec, rate=FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 2_000_000
        for image in draw_frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return truth()


def draw_frames() -> Iterator[NDArray[np.uint8]]:
    """Draw the frames: uint8, shape (HEIGHT, WIDTH, 3), BGR."""
    import numpy as np

    random = np.random.default_rng(20)
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    waves = 18 * np.sin(x / 47 + y / 81) + 14 * np.sin(y / 29 - x / 113)
    grain = random.normal(0, 9, (HEIGHT // 4, WIDTH // 4)).repeat(4, axis=0).repeat(4, axis=1)
    background = (110 + waves + grain)[..., np.newaxis] + np.array([8.0, 0.0, -8.0])
    noises = [random.normal(0, 3, background.shape) for _ in range(8)]
    for frame in range(FRAMES):
        image = background.copy()
        for shape in SHAPES:
            image[_inside(shape, frame, x, y)] = shape.bgr
        yield (image + noises[random.integers(8)]).clip(0, 255).astype(np.uint8)


def _inside(shape: Shape, frame: int, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pixels the shape covers; a pixel is covered when its centre is."""
    center_x, center_y = shape.center(frame)
    across = abs(x + 0.5 - center_x) / (shape.size_wh[0] / 2)
    down = abs(y + 0.5 - center_y) / (shape.size_wh[1] / 2)
    if shape.kind == "disc":
        return across**2 + down**2 <= 1
    if shape.kind == "diamond":
        return across + down <= 1
    return (across <= 1) & (down <= 1)


def _seen(shape: Shape, frame: int) -> TrueBox | None:
    (x, y), (width, height) = shape.center(frame), shape.size_wh
    left, right = max(0.0, x - width / 2), min(float(WIDTH), x + width / 2)
    top, bottom = max(0.0, y - height / 2), min(float(HEIGHT), y + height / 2)
    if right <= left or bottom <= top:
        return None
    box = left, top, right, bottom
    return TrueBox(box, certain=_area(box) >= width * height / 2)


def _area(box: XYXY) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _matched(boxes: Sequence[TrueBox], regions: Sequence[XYXY]) -> tuple[list[float], list[TrueBox], list[XYXY]]:
    """Return the IoU of each matched certain box, then the boxes and the regions without a match."""
    ranked = sorted(((iou(box.xyxy, region), b, r) for b, box in enumerate(boxes) for r, region in enumerate(regions)))
    ious: list[float] = []
    taken_boxes: set[int] = set()
    taken_regions: set[int] = set()
    for value, b, r in reversed(ranked):
        if value < MATCH_IOU or b in taken_boxes or r in taken_regions:
            continue
        taken_boxes.add(b)
        taken_regions.add(r)
        ious += [value] if boxes[b].certain else []
    left_boxes = [box for b, box in enumerate(boxes) if b not in taken_boxes]
    return ious, left_boxes, [region for r, region in enumerate(regions) if r not in taken_regions]


if __name__ == "__main__":
    make_clip(Path(sys.argv[1]))

import subprocess
import sys
from itertools import combinations, islice

import av
import numpy as np
import pytest

from forgesyte_launcher.demo_clip import (
    FPS,
    FRAMES,
    HEIGHT,
    SHAPES,
    WIDTH,
    Score,
    TrueBox,
    compare,
    draw_frames,
    iou,
    make_clip,
    truth,
)


def a_row(frame: int, *boxes: tuple[float, float, float, float]) -> dict:
    return {"frame_index": frame, "detections": {"regions": [{"xyxy": list(box)} for box in boxes]}}


def rows_of(boxes: list[list[TrueBox]]) -> list[dict]:
    return [a_row(frame, *(box.xyxy for box in seen)) for frame, seen in enumerate(boxes)]


SQUARE = (100.0, 100.0, 200.0, 200.0)
CERTAIN, UNSURE = TrueBox(SQUARE, certain=True), TrueBox(SQUARE, certain=False)


@pytest.mark.parametrize(
    ("other", "value"),
    [
        pytest.param(SQUARE, 1.0, id="same"),
        pytest.param((150, 100, 250, 200), 1 / 3, id="half beside"),
        pytest.param((100, 100, 150, 150), 0.25, id="quarter inside"),
        pytest.param((200, 100, 300, 200), 0.0, id="touching"),
        pytest.param((300, 300, 400, 400), 0.0, id="apart"),
        pytest.param((150, 150, 150, 150), 0.0, id="empty"),
    ],
)
def test_iou_of_named_cases(other, value):
    assert iou(SQUARE, other) == pytest.approx(value)
    assert iou(other, SQUARE) == pytest.approx(value)


@pytest.mark.parametrize(
    ("expected", "row", "score"),
    [
        pytest.param([CERTAIN], a_row(0, SQUARE), Score(1, 1, 1, 1, 0, 0), id="found"),
        pytest.param([CERTAIN], a_row(0), Score(0, 1, 0, 0, 1, 0), id="missed"),
        pytest.param([CERTAIN], a_row(7, SQUARE), Score(0, 1, 0, 0, 1, 0), id="found in another frame"),
        pytest.param([], a_row(0, SQUARE), Score(1, 0, 0, 0, 0, 1), id="extra"),
        pytest.param([CERTAIN], a_row(0, SQUARE, SQUARE), Score(1, 0.5, 1, 1, 0, 1), id="found twice"),
        pytest.param([CERTAIN], a_row(0, (0, 0, 50, 50)), Score(0, 0, 0, 0, 1, 1), id="found elsewhere"),
        pytest.param([UNSURE], a_row(0), Score(1, 1, 0, 0, 0, 0), id="unsure and not found"),
        pytest.param([UNSURE], a_row(0, SQUARE), Score(1, 1, 0, 0, 0, 0), id="unsure and found"),
        pytest.param([UNSURE], a_row(0, (190, 190, 210, 210)), Score(1, 1, 0, 0, 0, 0), id="unsure and touched"),
        pytest.param([], a_row(0), Score(1, 1, 0, 0, 0, 0), id="nothing there, nothing found"),
    ],
)
def test_score_of_named_cases(expected, row, score):
    assert compare([expected], [row]) == score


def test_the_truth_scores_full_against_itself():
    score = compare(truth(), rows_of(truth()))

    assert (score.recall, score.precision, score.missed, score.extra) == (1.0, 1.0, 0, 0)
    assert score.mean_iou == pytest.approx(1.0)


def test_boxes_of_another_time_score_low():
    late = rows_of(truth())[60:]

    score = compare(truth(), [row | {"frame_index": frame} for frame, row in enumerate(late)])

    assert score.recall < 0.2


def test_every_shape_enters_and_leaves():
    boxes = truth()

    assert len(boxes) == FRAMES
    assert boxes[0] == boxes[-1] == []
    assert sum(any(box.certain for box in seen) for seen in boxes) > FRAMES / 2
    assert max(len(seen) for seen in boxes) == len(SHAPES)


def test_shapes_never_touch():
    assert all(iou(one.xyxy, other.xyxy) == 0 for seen in truth() for one, other in combinations(seen, 2))


def test_boxes_stay_in_the_frame():
    for box in (box for seen in truth() for box in seen):
        left, top, right, bottom = box.xyxy
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT


@pytest.mark.slow  # draws half of the clip
def test_shapes_are_drawn_where_the_truth_says():
    frames = list(islice(draw_frames(), 151))

    changed = np.abs(frames[150].astype(int) - frames[0]).max(axis=2) > 45
    expected = np.zeros_like(changed)
    for box in truth()[150]:
        left, top, right, bottom = (round(edge) for edge in box.xyxy)
        expected[top:bottom, left:right] = True
        assert changed[top:bottom, left:right].mean() > 0.4
    assert not changed[~expected].any()


@pytest.mark.slow  # draws and encodes the whole clip
def test_clip_decodes_to_its_frames(tmp_path):
    boxes = make_clip(tmp_path / "demo.mp4")

    with av.open(str(tmp_path / "demo.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, FPS)
        assert sum(1 for _ in container.decode(stream)) == len(boxes) == FRAMES


def test_importing_the_module_loads_neither_av_nor_numpy():
    code = "import sys, forgesyte_launcher.demo_clip; sys.exit(bool({'av', 'numpy', 'cv2'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

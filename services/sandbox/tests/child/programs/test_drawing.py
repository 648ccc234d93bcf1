"""Labels, colours and sizes of what is drawn."""

from itertools import pairwise

import numpy as np
import pytest

from forgesyte_contracts.boxes import boxes_of
from forgesyte_sandbox.child.programs.drawing import Pen, colour_of, draw_boxes, label_of
from forgesyte_sandbox.child.programs.mp4_times import Mp4Times


def a_box(**facts):
    (box,) = boxes_of(facts.pop("tool", "tool"), {"items": [{"xyxy": [10, 20, 30, 40], **facts}]})
    return box


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({"track_id": 7, "class": "car", "class_id": 2, "confidence": 0.876}, "#7 car 0.88"),
        ({"class_id": 2, "confidence": 1}, "2 1.00"),
        ({"track_id": 0}, "#0"),
        ({"share": 0.0271}, "2.7%"),
        ({"text": "STOP", "confidence": 0.5}, "STOP 0.50"),
        ({"class": "žluť\n"}, "?lu??"),
        ({"class": "x" * 500}, "x" * 40),
        ({}, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_label(facts, label):
    assert label_of(a_box(**facts)) == label


@pytest.mark.parametrize(
    ("size_wh", "least_text_px", "most_text_px"),
    [((320, 240), 9, 12), ((1920, 1080), 18, 26), ((3840, 2160), 36, 50)],
    ids=["320", "1080p", "4K"],
)
def test_text_and_lines_grow_with_the_picture(size_wh, least_text_px, most_text_px):
    pen = Pen.for_size(*size_wh)

    assert pen.has_labels
    assert least_text_px <= pen.text_scale * 22 <= most_text_px
    assert pen.line_px == max(1, round(min(size_wh) / 250))


def test_a_picture_too_small_for_text_gets_none():
    assert not Pen.for_size(60, 60).has_labels


def test_a_track_keeps_its_colour_and_its_neighbours_have_others():
    colours = [colour_of(a_box(track_id=number)) for number in range(20)]

    assert colours[3] == colour_of(a_box(track_id=3, confidence=0.1, **{"class": "car"}))
    assert len(set(colours)) == 20


def test_without_id_the_class_decides_and_without_class_the_tool():
    assert colour_of(a_box(confidence=1, **{"class": "car"})) == colour_of(a_box(tool="x", **{"class": "car"}))
    assert colour_of(a_box(share=0.1, tool="a")) != colour_of(a_box(share=0.1, tool="b"))


@pytest.mark.parametrize("corner", [(0, 0), (300, 0), (0, 220), (300, 220)], ids=str)
@pytest.mark.parametrize("facts", [{"track_id": 1}, {"share": 0.5}], ids=["named", "region"])
def test_a_label_at_any_edge_stays_in_the_picture(corner, facts):
    image = np.full((240, 320, 3), 90, np.uint8)
    (box,) = boxes_of("tool", {"items": [{"xyxy": [*corner, corner[0] + 20, corner[1] + 20], **facts}]})

    draw_boxes(image, [box], scale_xy=(1.0, 1.0))

    marked = (image != 90).any(axis=2)
    label_px = Pen.for_size(320, 240).text_scale * 22
    assert marked.sum() > 2 * 4 * 20 + label_px * label_px, "the box and a label beside it"


def test_an_input_drawn_smaller_has_its_boxes_scaled():
    image = np.full((60, 80, 3), 90, np.uint8)

    draw_boxes(image, [a_box()], scale_xy=(0.5, 0.5))

    rows, columns = np.nonzero((image != 90).any(axis=2))
    assert (rows.min(), columns.min(), rows.max(), columns.max()) == (10, 5, 19, 14)


def ticks(times_ms, frame_ms=40.0):
    timeline = Mp4Times(frame_ms)
    return [timeline.ticks(each) / 90 for each in times_ms]


@pytest.mark.parametrize(
    ("times_ms", "expected"),
    [
        ([0, 40, 45, 1000], [0, 40, 45, 1000]),
        ([0, 40, 3_600_040, 3_600_080], [0, 40, 3_600_040, 3_600_080]),
        ([0, 40, 1e9, 1e9 + 40], [0, 40, 80, 120]),
    ],
    ids=["variable rate", "a gap of an hour", "longer than MP4 can hold"],
)
def test_times_rise_and_small_steps_are_kept(times_ms, expected):
    assert ticks(times_ms) == pytest.approx(expected, abs=0.1)


def test_pictures_of_one_time_follow_each_other():
    found = ticks([0, 0, 0, 40, 40, 80])

    assert all(after > before for before, after in pairwise(found))
    assert found[-1] == pytest.approx(80, abs=0.1)

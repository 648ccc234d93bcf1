import orjson
import pytest

from forgesyte_contracts.realtime import Box
from forgesyte_plugin_runner.attempt.live.live_frames import (
    MAX_BOXES,
    MAX_PARTIAL_BYTES,
    NewestRows,
    Previews,
    boxes_in,
)
from forgesyte_sandbox.shared.messages import Preview, Row
from tests.support import HandClock

JPEG = b"\xff\xd8\xff\xd9"


def a_box(**facts) -> dict:
    return {"xyxy": [1, 2, 11, 22], **facts}


def test_the_newest_rows_that_fit_are_returned_in_order_and_once():
    rows = NewestRows()
    for index in range(100):
        rows.add(orjson.dumps({"frame_index": index, "text": "x" * 1000}))

    given = rows.take()

    indexes = [row["frame_index"] for row in given]
    assert indexes == list(range(indexes[0], 100))
    assert 50 < len(indexes) < 61
    assert rows.take() == ()


def test_a_row_that_fits_in_no_message_is_left_out_and_the_others_stay():
    rows = NewestRows()
    rows.add(b'{"frame_index":0}')

    rows.add(b'"%s"' % (b"x" * MAX_PARTIAL_BYTES))

    assert rows.take() == ({"frame_index": 0},)


def test_a_box_is_sent_as_corner_and_size():
    row = {"frame_index": 0, "detections": {"regions": [a_box(**{"class": "car", "confidence": 0.5, "track_id": 3})]}}

    (box,) = boxes_in(row, ["seek"])

    assert box == Box(x=1, y=2, width=10, height=20, confidence=0.5, class_="car", track_id=3)


def test_boxes_of_all_tools_are_sent():
    row = {"frame_index": 0, "seek": {"regions": [a_box()]}, "find": {"things": [a_box(class_id=7)]}}

    assert [box.class_ for box in boxes_in(row, ["seek", "find"])] == [None, 7]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"xyxy": [1, 2, None, 4]}, id="a corner that is not a number"),
        pytest.param({"xyxy": [-1.7e308, 0, 1.7e308, 1]}, id="a width that is not a number"),
    ],
)
def test_a_box_without_a_position_is_left_out(odd):
    assert boxes_in({"detections": {"regions": [odd, a_box()]}}, ["seek"]) == boxes_in(
        {"detections": {"regions": [a_box()]}}, ["seek"]
    )


def test_values_of_the_wrong_type_are_sent_as_none():
    odd = a_box(**{"class": ["car"], "confidence": "high", "track_id": True})

    (box,) = boxes_in({"detections": {"regions": [odd]}}, ["seek"])

    assert (box.class_, box.confidence, box.track_id) == (None, None, None)


def test_no_more_boxes_are_sent_than_a_message_holds():
    assert len(boxes_in({"detections": {"regions": [a_box()] * 2000}}, ["seek"])) == MAX_BOXES


def test_at_most_five_previews_are_sent_in_any_second_however_many_come():
    clock, given = HandClock(), []
    previews = Previews(["seek"], clock)

    for number in range(100):
        clock.passed_s = number * 0.03
        previews.note(Row(number, b'{"frame_index":%d,"detections":{"regions":[]}}' % number))
        previews.offer(Preview(number, JPEG, 40, 30))
        if previews.take_due() is not None:
            given.append(clock.passed_s)

    assert len(given) >= 10
    assert all(sum(first <= at < first + 1 for at in given) <= 5 for first in given)


def test_a_preview_without_its_row_has_no_boxes_and_the_newest_wins():
    previews = Previews(["seek"], HandClock())
    previews.note(Row(6, b'{"frame_index":6,"detections":{"regions":[{"xyxy":[1,2,3,4]}]}}'))

    previews.offer(Preview(6, JPEG, 40, 30))
    previews.offer(Preview(7, JPEG, 40, 30))

    frame_index, data = previews.take_due()
    assert (frame_index, data.boxes) == (7, ())
    assert previews.take_due() is None

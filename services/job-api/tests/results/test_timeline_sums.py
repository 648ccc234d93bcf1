"""The sums behind a timeline: against a slow count of the same rows, and at their limits."""

import random

import orjson
import pytest

from forgesyte_contracts.http.timeline import MAX_LANES, TimelineLane
from forgesyte_job_api.results.timeline_sums import MAX_TOLD_APART, TimelineSums, bins_of, folded


def row(frame, *boxes, **outputs):
    return orjson.dumps({"frame_index": frame, "timestamp_ms": 40.0 * frame, "detections": {"items": boxes}, **outputs})


def box(**facts):
    return {"xyxy": [1.0, 2.0, 3.0, 4.0], **facts}


def lanes_of(rows, *, bins=10, total=100, tools=("find",)):
    sums = TimelineSums(tools, bins=bins, total_frames=total)
    sums.add(rows)
    return [lane.model_dump() for lane in sums.lanes()[0]]


def test_a_class_and_a_track_have_lanes_of_their_own():
    car = box(**{"class": "car", "class_id": 2, "track_id": 7})

    lanes = lanes_of([row(5, car, car), row(19, car), row(50, car), row(51)])

    shared = {"tool": "find", "class": "car", "frames": 3, "detections": 4, "first_frame": 5, "last_frame": 50}
    runs = [(0, 1, 3), (5, 5, 1)]
    assert lanes == [
        {"kind": "class", "track_id": None, "runs": runs, **shared},
        {"kind": "track", "track_id": 7, "runs": runs, **shared},
    ]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"class": "car", "class_id": 2}, "car"),
        ({"class": None, "class_id": 2}, "2"),
        ({}, None),
        ({"class": ["odd"]}, None),
        ({"class": "x" * 100}, "x" * 64),
    ],
    ids=["name", "number", "none", "no text", "long"],
)
def test_a_class_is_named_as_the_tool_names_it(facts, name):
    assert [lane["class"] for lane in lanes_of([row(0, box(**facts))])] == [name]


@pytest.mark.parametrize("track", [None, True, 1.5, ["a"]], ids=str)
def test_what_is_no_track_id_has_no_lane(track):
    assert [lane["kind"] for lane in lanes_of([row(0, box(track_id=track))])] == ["class"]


def test_tools_with_the_same_class_and_track_are_kept_apart():
    both = [orjson.dumps({"frame_index": 3, "a": {"found": [box(track_id=1)]}, "b": {"found": [box(track_id=1)] * 2}})]

    lanes = lanes_of(both, tools=("a", "b"))

    assert [(lane["kind"], lane["tool"], lane["detections"]) for lane in lanes] == [
        ("class", "b", 2), ("class", "a", 1), ("track", "a", 1), ("track", "b", 2),
    ]  # fmt: skip


def test_outputs_without_boxes_have_no_lanes():
    assert lanes_of([orjson.dumps({"frame_index": 0, "detections": {"brightness": 7}}), b'{"frame_index":1}']) == []


def test_random_rows_are_summed_as_a_slow_count_sums_them():
    dice = random.Random(3)
    found = {frame: [dice.choice("abc") for _ in range(dice.randrange(3))] for frame in range(0, 997, 2)}
    rows = [row(frame, *(box(**{"class": name}) for name in names)) for frame, names in found.items()]

    lanes = lanes_of(rows, bins=37, total=997)

    for lane in lanes:
        counts = {frame: names.count(lane["class"]) for frame, names in found.items() if lane["class"] in names}
        by_bin = [sum(n for frame, n in counts.items() if frame * 37 // 997 == place) for place in range(37)]
        drawn = [0] * 37
        for first, last, detections in lane["runs"]:
            assert sum(by_bin[first : last + 1]) == detections
            assert all(by_bin[first : last + 1]), "a run has no gap"
            drawn[first : last + 1] = by_bin[first : last + 1]
        assert drawn == by_bin, "nothing is outside the runs"
        assert (lane["frames"], lane["detections"]) == (len(counts), sum(counts.values()))
        assert (lane["first_frame"], lane["last_frame"]) == (min(counts), max(counts))
    assert [lane["detections"] for lane in lanes] == sorted((lane["detections"] for lane in lanes), reverse=True)


@pytest.mark.parametrize(
    ("total", "asked", "bins"),
    [(0, 400, 1), (30, 400, 30), (2000, 1999, 1999), (2001, 1999, 1000), (9973, 400, 400), (9973, 7, 5), (9973, 1, 1)],
)
def test_there_are_no_more_bins_than_asked_for_than_frames_and_than_can_be_folded_rightly(total, asked, bins):
    assert bins_of(total, at_most=asked) == bins


@pytest.mark.parametrize("total", [7, 1999, 2000, 2001, 9973])
@pytest.mark.parametrize("asked", [1, 37, 400, 800, 2000])
def test_a_fold_is_what_a_count_in_fewer_bins_is(total, asked):
    dice = random.Random(total)
    named = ((frame, dice.choice(["many", "many", "few", None])) for frame in range(total))
    rows = [row(frame, *([box(**{"class": name})] if name else [])) for frame, name in named if frame % 300 < 200]
    bins, most = bins_of(total, at_most=asked), bins_of(total)

    told = folded([TimelineLane(**lane) for lane in lanes_of(rows, bins=most, total=total)], most, bins)

    assert [lane.model_dump() for lane in told] == lanes_of(rows, bins=bins, total=total)


def test_at_most_500_lanes_are_kept_classes_first_and_the_others_counted():
    rows = [row(frame, box(**{"class": f"c{frame % 3}", "track_id": frame})) for frame in range(2000)]
    sums = TimelineSums(("find",), bins=10, total_frames=2000)

    sums.add(rows)
    lanes, omitted = sums.lanes()

    assert len(lanes) == MAX_LANES
    assert [lane.kind for lane in lanes[:4]] == ["class", "class", "class", "track"]
    assert [lane.track_id for lane in lanes[3:]] == list(range(497)), "in the order of their first frames"
    assert omitted == 3 + 2000 - MAX_LANES


def test_no_number_of_tracks_outgrows_the_memory():
    sums = TimelineSums(("find",), bins=10, total_frames=1200)

    for frame in range(1200):
        sums.add([row(frame, *(box(track_id=frame * 100 + n) for n in range(100)))])

    assert len(sums._left_out) == MAX_TOLD_APART
    assert sums.lanes()[1] == MAX_TOLD_APART + 1


def test_a_frame_beyond_the_announced_end_is_in_the_last_bin():
    assert lanes_of([row(120, box())])[0]["runs"] == [(9, 9, 1)]

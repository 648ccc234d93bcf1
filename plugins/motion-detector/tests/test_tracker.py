import numpy as np
import pytest

from forgesyte_motion_detector.options import TrackOptions
from forgesyte_motion_detector.tracker import Tracker, mismatches

WIDTH, HEIGHT = 800, 400


def a_tracker(**options: object) -> Tracker:
    return Tracker(TrackOptions(**{"min_hits": 1, **options}), (WIDTH, HEIGHT))


def a_box(middle_x: float, middle_y: float = 200, width: float = 80, height: float = 50) -> tuple[float, ...]:
    return middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2


def see(tracker: Tracker, *boxes: tuple[float, ...]) -> dict[int, tuple[float, ...]]:
    """Show one frame; gives the boxes by track id."""
    return {seen.track_id: seen.xyxy for seen in tracker.update(np.array(boxes, float).reshape(-1, 4))}


def test_no_boxes_give_no_tracks():
    tracker = a_tracker()

    assert [see(tracker) for _ in range(5)] == [{}] * 5


def test_ids_start_at_1_in_every_tracker():
    first, second = a_tracker(), a_tracker()
    see(first, a_box(100), a_box(400))

    assert set(see(second, a_box(300))) == {1}


def test_moving_object_keeps_its_id():
    tracker = a_tracker()

    ids = [set(see(tracker, a_box(60 + 14 * frame))) for frame in range(50)]

    assert ids == [{1}] * 50


def test_small_fast_object_that_never_overlaps_with_itself_keeps_its_id():
    tracker = a_tracker()

    ids = [set(see(tracker, a_box(20 + 40 * frame, width=10, height=10))) for frame in range(19)]

    assert ids == [{1}] * 19


def test_object_that_grows_while_it_enters_the_frame_keeps_its_id():
    tracker = a_tracker()

    ids = [set(see(tracker, (100, 0, 250, 12 + 12 * frame))) for frame in range(20)]

    assert ids == [{1}] * 20


def test_id_comes_after_min_hits_in_a_row():
    tracker = a_tracker(min_hits=3)
    shown = [True, True, False, True, True, True, True]

    ids = [set(see(tracker, *([a_box(100 + frame)] if seen else []))) for frame, seen in enumerate(shown)]

    assert ids == [set(), set(), set(), set(), set(), {1}, {1}]


@pytest.mark.parametrize(
    ("hidden_frames", "id_after"), [pytest.param(6, 1, id="as long as allowed"), pytest.param(7, 2, id="longer")]
)
def test_hidden_object_keeps_its_id_for_max_age(hidden_frames, id_after):
    tracker = a_tracker(max_age=6)
    for frame in range(20):
        see(tracker, a_box(100 + 10 * frame))

    hidden = [see(tracker) for _ in range(hidden_frames)]
    after = see(tracker, a_box(100 + 10 * (20 + hidden_frames)))

    assert hidden == [{}] * hidden_frames
    assert set(after) == {id_after}


def test_max_age_0_forgets_an_object_that_is_missed_once():
    tracker = a_tracker(max_age=0)
    see(tracker, a_box(100))
    see(tracker)

    assert set(see(tracker, a_box(100))) == {2}


def test_id_of_an_object_that_left_the_frame_is_not_given_to_the_next_one():
    tracker = a_tracker()
    for frame in range(10):
        see(tracker, (100, 0, 200, 50 - 5 * frame))  # out at the upper border

    for _ in range(3):
        see(tracker)

    assert set(see(tracker, (100, 0, 200, 5))) == {2}


def test_objects_that_cross_without_touching_keep_their_ids():
    tracker = a_tracker()

    for frame in range(50):
        seen = see(tracker, a_box(60 + 14 * frame, 150), a_box(740 - 14 * frame, 250))

        assert seen == {1: a_box(60 + 14 * frame, 150), 2: a_box(740 - 14 * frame, 250)}


def test_order_of_the_boxes_does_not_matter():
    tracker = a_tracker()
    see(tracker, a_box(100), a_box(500))

    assert see(tracker, a_box(500), a_box(100)) == {1: a_box(100), 2: a_box(500)}


@pytest.mark.parametrize("lane", [0, 60], ids=["over each other", "side by side"])
@pytest.mark.parametrize("speeds", [(8, -8), (3, -6), (12, 4)], ids=["same speed", "slowly", "overtaking"])
def test_objects_that_touch_on_their_way_keep_their_ids_and_boxes(lane, speeds):
    tracker = a_tracker()
    start = (60, 370 if speeds[1] > 0 else 700)
    together = 0

    for frame in range(90):
        boxes = [a_box(start[at] + speeds[at] * frame, 180 + lane * at) for at in (0, 1)]
        if boxes[0][2] > 750:
            break
        touching = abs(start[0] + speeds[0] * frame - start[1] - speeds[1] * frame) < 100
        together += touching
        seen = see(tracker, *([(*np.minimum(*boxes)[:2], *np.maximum(*boxes)[2:])] if touching else boxes))

        assert seen == {1: pytest.approx(boxes[0], abs=4), 2: pytest.approx(boxes[1], abs=4)}
    assert together > 10


def test_object_that_vanishes_in_another_one_is_forgotten_and_the_other_stays():
    tracker = a_tracker()
    for frame in range(30):
        see(tracker, a_box(200 + 4 * frame, width=150), a_box(100 + 7 * frame if frame > 20 else 100, width=30))

    ids = [set(see(tracker, a_box(320 + frame, width=150))) for frame in range(80)]

    assert ids[-1] == {1}


def test_far_box_is_another_object():
    tracker = a_tracker(match_distance=0.1)
    see(tracker, a_box(100, width=20))

    assert set(see(tracker, a_box(100 + 0.11 * WIDTH, width=20))) == {2}


def test_confidence_rises_with_each_sighting_and_falls_with_each_miss():
    tracker = a_tracker()
    box = np.array([a_box(100)])
    rising = [tracker.update(box)[0].confidence for _ in range(10)]
    for _ in range(3):
        tracker.update(np.empty((0, 4)))

    (after,) = tracker.update(box)

    assert rising == sorted(rising)
    assert 0.5 < rising[0] < rising[-1] < 1
    assert after.confidence < rising[-1]


def test_restored_tracker_goes_on_exactly_like_the_one_that_was_not_stopped():
    frames = [
        [a_box(60 + 14 * frame, 150), a_box(740 - 14 * frame, 250)][: 1 if 18 < frame < 24 else 2]
        for frame in range(40)
    ]
    stopped, unstopped, restored = a_tracker(), a_tracker(), a_tracker()
    for boxes in frames[:20]:
        see(stopped, *boxes)
        see(unstopped, *boxes)

    restored.restore(stopped.snapshot())

    assert [see(restored, *boxes) for boxes in frames[20:]] == [see(unstopped, *boxes) for boxes in frames[20:]]
    assert set(see(restored, a_box(400, 30))) == {3}


def test_mismatch_is_0_for_the_same_box_and_grows_with_distance():
    here, near, far = a_box(100), a_box(140), a_box(300)

    ((same, some, most),) = mismatches(np.array([here]), np.array([here, near, far]), reach_px=400)

    assert same == pytest.approx(0)
    assert same < some < most < 2


def test_pair_out_of_reach_is_refused_unless_it_overlaps():
    large, half, apart = (0, 0, 400, 400), (0, 0, 400, 200), (450, 0, 460, 10)

    ((overlapping, refused),) = mismatches(np.array([large]), np.array([half, apart]), reach_px=10)

    assert overlapping < 1
    assert refused == 2

from dataclasses import replace

import pytest
from pydantic import ValidationError

from forgesyte_motion_detector import MotionDetector
from forgesyte_motion_detector.background import Background
from forgesyte_motion_detector.detect_motion import DetectMotion
from forgesyte_motion_detector.options import MotionOptions, TrackOptions
from forgesyte_motion_detector.track_objects import TrackObjects
from forgesyte_sdk import Frame, Tool, TrackedObjects, count_detections, to_jsonable

from .scene import Scene, a_job


def a_tracker(**options: object) -> TrackObjects:
    tool = TrackObjects(MotionDetector(), TrackOptions(**options))
    tool.prepare(a_job())
    return tool


def a_detector(**options: object) -> DetectMotion:
    tool = DetectMotion(MotionDetector(), MotionOptions(**options))
    tool.prepare(a_job())
    return tool


def show(tool: Tool, scene: Scene, *moments: tuple[tuple[int, int, int, int], ...]) -> list[TrackedObjects]:
    """Let the tool learn the empty scene, then show one frame for each moment."""
    for index in range(20):
        tool.process_frame(scene.frame(index))
    return [tool.process_frame(scene.frame(20 + at, *boxes)) for at, boxes in enumerate(moments)]


def a_crossing(frames: int = 22) -> list[tuple[tuple[int, int, int, int], ...]]:
    """One thing goes right in the upper half, one goes left in the lower half."""
    return [
        ((10 + 10 * at, 20, 60 + 10 * at, 60), (260 - 10 * at, 110, 310 - 10 * at, 150)) for at in range(frames)
    ]  # fmt: skip


@pytest.fixture
def masks_made(monkeypatch) -> list[Background]:
    """The backgrounds that were asked for a mask, in order; they still do their work."""
    asked: list[Background] = []
    make = Background.motion_mask

    def note(self, image):
        asked.append(self)
        return make(self, image)

    monkeypatch.setattr(Background, "motion_mask", note)
    return asked


def test_still_scene_has_no_objects():
    outputs = show(a_tracker(), Scene(), *[()] * 30)

    assert [output.tracked_objects for output in outputs] == [[]] * 30


def test_row_has_the_form_of_the_contract():
    outputs = show(a_tracker(min_hits=1), Scene(), ((100, 60, 160, 100),))

    plain, warnings = to_jsonable(outputs[-1])

    (found,) = plain["tracked_objects"]
    assert set(found) == {"track_id", "class_id", "class", "xyxy", "center", "confidence"}
    assert (found["track_id"], found["class_id"], found["class"]) == (1, 0, "object")
    assert found["xyxy"] == pytest.approx([100, 60, 160, 100], abs=3)
    assert found["center"] == pytest.approx([130, 80], abs=3)
    assert 0 < found["confidence"] <= 1
    assert warnings == []
    assert count_detections(outputs[-1]) == (1, {"object": 1})


def test_two_things_that_cross_keep_their_ids():
    outputs = show(a_tracker(min_hits=3), Scene(), *a_crossing())

    pairs = [sorted(output.tracked_objects, key=lambda found: found.center[1]) for output in outputs[3:]]
    upper, lower = zip(*pairs, strict=True)
    assert len({found.track_id for found in upper}) == len({found.track_id for found in lower}) == 1
    assert {upper[0].track_id, lower[0].track_id} == {1, 2}
    assert [found.center[0] for found in upper] == pytest.approx([35 + 10 * at for at in range(3, 22)], abs=6)
    assert [found.center[0] for found in lower] == pytest.approx([285 - 10 * at for at in range(3, 22)], abs=6)


def test_thing_hidden_for_some_frames_keeps_its_id():
    moments = [((10 + 8 * at, 60, 60 + 8 * at, 100),) for at in range(30)]
    moments[12:18] = [()] * 6

    outputs = show(a_tracker(), Scene(), *moments)

    ids = [[found.track_id for found in output.tracked_objects] for output in outputs]
    assert ids == [[]] * 3 + [[1]] * 9 + [[]] * 6 + [[1]] * 12


def test_every_job_counts_its_ids_from_1():
    first, second = a_tracker(min_hits=1), a_tracker(min_hits=1)
    show(first, Scene(), *a_crossing(5))

    outputs = show(second, Scene(seed=5), ((100, 60, 160, 100),))

    assert [found.track_id for found in outputs[-1].tracked_objects] == [1]


def test_both_tools_of_a_job_share_one_background(masks_made):
    detector, tracker, scene = a_detector(min_area=0.001), a_tracker(min_area=0.02), Scene()

    for index in range(10):
        frame = scene.frame(index)
        detector.process_frame(frame)
        tracker.process_frame(frame)

    assert len(masks_made) == 10
    assert len(set(masks_made)) == 1


def test_tools_with_other_mask_options_do_not_share(masks_made):
    detector, tracker, scene = a_detector(threshold=4), a_tracker(threshold=6), Scene()

    for index in range(10):
        frame = scene.frame(index)
        detector.process_frame(frame)
        tracker.process_frame(frame)

    assert len(masks_made) == 20
    assert len(set(masks_made)) == 2


@pytest.mark.parametrize("tracker_first", [False, True], ids=["detector first", "tracker first"])
def test_rows_are_the_same_alone_and_together(tracker_first):
    detector, tracker = a_detector(), a_tracker()
    alone = [(a_detector(), show), (a_tracker(), show)]
    expected = list(zip(*[of(tool, Scene(), *a_crossing(12)) for tool, of in alone], strict=True))
    tools = [tracker, detector] if tracker_first else [detector, tracker]
    scene = Scene()
    moments = [()] * 20 + a_crossing(12)

    rows = []
    for index, boxes in enumerate(moments):
        frame = scene.frame(index, *boxes)
        outputs = {type(tool): tool.process_frame(frame) for tool in tools}
        rows.append((outputs[DetectMotion], outputs[TrackObjects]))

    assert rows[20:] == expected


def test_tool_cannot_change_the_shared_mask():
    frame = Scene().frame(0)
    a_detector().process_frame(frame)

    (masks,) = frame.shared.values()

    assert [mask.flags.writeable for mask in masks.values()] == [False]


def test_every_frame_gets_a_mask_of_its_own(masks_made):
    tracker, frame = a_tracker(), Scene().frame(0)
    tracker.process_frame(frame)

    tracker.process_frame(Frame(frame.image, 1, 40.0))
    tracker.process_frame(replace(frame, index=2, shared={}))

    assert len(masks_made) == 3


@pytest.mark.parametrize(
    "options",
    [{"min_hits": 0}, {"max_age": -1}, {"match_distance": 0.0}, {"match_distance": 1.1}, {"threshold": 0.5}],
)
def test_option_out_of_its_bounds_is_refused(options):
    with pytest.raises(ValidationError):
        TrackOptions(**options)


def test_tools_say_that_a_new_attempt_starts_at_the_beginning():
    assert a_tracker().snapshot() is None
    assert a_detector().snapshot() is None

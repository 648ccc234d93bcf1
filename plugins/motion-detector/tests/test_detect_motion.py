import numpy as np
import pytest
from pydantic import ValidationError

from forgesyte_motion_detector import MotionDetector
from forgesyte_motion_detector.detect_motion import DetectMotion
from forgesyte_motion_detector.options import MotionOptions
from forgesyte_motion_detector.regions import regions_of
from forgesyte_sdk import Frame, Regions, to_jsonable

from .scene import HEIGHT, WIDTH, Scene, a_job


def a_tool(*, width: int = WIDTH, height: int = HEIGHT, **options: object) -> DetectMotion:
    tool = DetectMotion(MotionDetector(), MotionOptions(**options))
    tool.prepare(a_job(width=width, height=height))
    return tool


def learn(tool: DetectMotion, scene: Scene, frames: int = 20) -> Regions:
    for index in range(frames):
        output = tool.process_frame(scene.frame(index))
    return output


def test_still_scene_has_no_regions():
    tool, scene = a_tool(), Scene()

    outputs = [tool.process_frame(scene.frame(index)) for index in range(60)]

    assert [len(output.regions) for output in outputs] == [0] * 60
    assert outputs[-1].motion_share == 0.0


def test_region_sits_on_what_moves():
    tool, scene = a_tool(), Scene()
    learn(tool, scene)

    output = tool.process_frame(scene.frame(20, (100, 60, 160, 100)))

    (region,) = output.regions
    assert region.xyxy == pytest.approx((100, 60, 160, 100), abs=3)
    assert region.center == pytest.approx((130, 80), abs=3)
    assert region.area == pytest.approx(60 * 40, rel=0.1)
    assert region.share == pytest.approx(60 * 40 / (WIDTH * HEIGHT), rel=0.1)
    assert output.motion_share == pytest.approx(region.share, rel=0.01)


def test_two_things_are_two_regions_the_largest_first():
    tool, scene = a_tool(), Scene()
    learn(tool, scene)

    output = tool.process_frame(scene.frame(20, (20, 20, 50, 50), (200, 90, 280, 160)))

    assert [region.xyxy for region in output.regions] == [
        pytest.approx((200, 90, 280, 160), abs=3),
        pytest.approx((20, 20, 50, 50), abs=3),
    ]


def test_boxes_are_in_pixels_of_the_input_when_frames_are_scaled_down():
    tool, scene = a_tool(width=4 * WIDTH, height=4 * HEIGHT), Scene()

    def large(frame: Frame) -> Frame:
        image = frame.image.repeat(4, axis=0).repeat(4, axis=1)
        return Frame(image=image, index=frame.index, timestamp_ms=0.0)

    for index in range(20):
        tool.process_frame(large(scene.frame(index)))
    output = tool.process_frame(large(scene.frame(20, (100, 60, 160, 100))))

    (region,) = output.regions
    assert region.xyxy == pytest.approx((400, 240, 640, 400), abs=12)
    assert region.area == pytest.approx(240 * 160, rel=0.1)


def test_warmup_reports_nothing():
    tool, scene = a_tool(warmup_frames=3), Scene()
    tool.process_frame(scene.frame(0))
    tool.process_frame(scene.frame(1))

    outputs = [tool.process_frame(scene.frame(index, (80 * index - 150, 60, 80 * index - 90, 100))) for index in (2, 3)]

    assert [len(output.regions) for output in outputs] == [0, 1]


def test_thing_smaller_than_min_area_is_left_out():
    tool, scene = a_tool(min_area=0.05), Scene()
    learn(tool, scene)

    output = tool.process_frame(scene.frame(20, (100, 60, 150, 100)))

    assert output.regions == []
    assert output.motion_share == pytest.approx(50 * 40 / (WIDTH * HEIGHT), rel=0.1)


@pytest.mark.parametrize(("include_shadows", "regions"), [(False, 0), (True, 1)])
def test_shadow_counts_only_when_asked_for(include_shadows, regions):
    tool, scene = a_tool(include_shadows=include_shadows, follow_exposure=False), Scene()
    learn(tool, scene)

    output = tool.process_frame(scene.shaded(20, (100, 60, 160, 100)))

    assert len(output.regions) == regions


def test_exposure_that_follows_a_bright_object_moves_nothing_else():
    tool, scene = a_tool(), Scene()
    learn(tool, scene)

    for index in range(10):
        output = tool.process_frame(scene.frame(20 + index, (100 + 5 * index, 60, 160 + 5 * index, 100), factor=0.6))

        assert [region.xyxy for region in output.regions] == [
            pytest.approx((100 + 5 * index, 60, 160 + 5 * index, 100), abs=4)
        ]


def test_thing_that_stays_becomes_background():
    tool, scene = a_tool(history=100), Scene()
    learn(tool, scene)

    counts = [len(tool.process_frame(scene.frame(20 + index, (100, 60, 160, 100))).regions) for index in range(40)]

    assert counts[:5] == [1] * 5
    assert counts[-5:] == [0] * 5


def test_parts_closer_than_join_distance_are_one_region():
    scene = Scene()
    near, apart = a_tool(join_distance=0.05), a_tool(join_distance=0.0)
    learn(near, scene)
    learn(apart, scene)
    frame = scene.frame(20, (100, 60, 130, 100), (138, 60, 170, 100))

    counts = [len(tool.process_frame(frame).regions) for tool in (near, apart)]

    assert counts == [1, 2]


def test_max_regions_keeps_the_largest():
    mask = np.zeros((100, 200), np.uint8)
    for at, size in enumerate((5, 9, 7)):
        mask[10 : 10 + size, 50 * at : 50 * at + size] = 255

    regions = regions_of(mask, (200, 100), min_share=0.0, limit=2)

    assert [region.area for region in regions] == [81, 49]


def test_nothing_leaks_from_job_to_job():
    first, scene = a_tool(), Scene()
    learn(first, scene)

    second = a_tool()

    assert second.process_frame(Scene(seed=9).frame(0)).regions == []


def test_same_frames_give_the_same_rows():
    rows = []
    for _ in range(2):
        tool, scene = a_tool(), Scene()
        frames = [scene.frame(index, (5 * index, 60, 5 * index + 40, 100)) for index in range(30)]
        rows.append([to_jsonable(tool.process_frame(frame))[0] for frame in frames])

    assert rows[0] == rows[1]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 500), (8192, 3), (641, 361)])
def test_odd_sizes_are_no_error(width, height):
    tool = a_tool(width=width, height=height)
    image = np.zeros((height, width, 3), np.uint8)

    for index in range(8):
        output = tool.process_frame(Frame(image=image + np.uint8(index), index=index, timestamp_ms=0.0))

    assert output.regions == []


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0.5}, {"min_area": 1.5}, {"min_area": -0.1}, {"history": 1}, {"warmup_frames": 0},
        {"join_distance": 0.5}, {"working_width": 10}, {"max_regions": 0}, {"treshold": 5}, {"threshold": float("nan")},
    ],
)  # fmt: skip
def test_option_out_of_its_bounds_or_mistyped_is_refused(options):
    with pytest.raises(ValidationError):
        MotionOptions(**options)


def test_every_option_has_a_description_and_a_default():
    tools = MotionDetector.build_manifest().tools

    assert [tool.name for tool in tools] == ["detect-motion", "track-objects"]
    for tool in tools:
        assert all({"description", "default"} <= set(option) for option in tool.options_schema["properties"].values())
        assert tool.options_schema["additionalProperties"] is False


def test_manifest_says_that_frames_depend_on_earlier_ones():
    assert MotionDetector.build_manifest().stateful is True

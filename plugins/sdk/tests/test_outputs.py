import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from forgesyte_sdk import Box, Detections, Region, Regions, TrackedObject, TrackedObjects, count_detections, to_jsonable


class OwnOutput(BaseModel):
    text: str


def a_box(name: str | None = None) -> Box:
    return Box(xyxy=(0, 0, 10, 20), confidence=1.0, class_name=name)


def a_tracked(name: str | None = None) -> TrackedObject:
    return TrackedObject(xyxy=(0, 0, 10, 20), confidence=1.0, class_name=name, track_id=1)


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        pytest.param(Regions(regions=[]), (0, {}), id="no regions"),
        pytest.param(Regions(regions=[Region(xyxy=(0, 0, 2, 2), area=4, share=0.1)] * 2), (2, {}), id="regions"),
        pytest.param(
            Detections(detections=[a_box("car"), a_box("car"), a_box("bus"), a_box()]),
            (4, {"car": 2, "bus": 1}),
            id="detections",
        ),
        pytest.param(TrackedObjects(tracked_objects=[a_tracked("car"), a_tracked()]), (2, {"car": 1}), id="tracks"),
        pytest.param(OwnOutput(text="x"), (0, {}), id="an output of the plugin's own"),
    ],
)
def test_output_says_what_it_adds_to_the_summary(output, counts):
    assert count_detections(output) == counts


def test_box_takes_numpy_numbers():
    box = Box(xyxy=np.array([1, 2, 3, 4], np.float32), confidence=np.float32(0.5), class_id=np.int64(3))

    assert box.xyxy == (1.0, 2.0, 3.0, 4.0)
    assert (box.confidence, box.class_id) == (0.5, 3)


def test_center_is_the_middle_of_the_box():
    assert a_box().center == (5.0, 10.0)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_share_outside_of_0_to_1_is_refused(share):
    with pytest.raises(ValidationError, match="share"):
        Region(xyxy=(0, 0, 1, 1), area=1, share=share)


def test_row_can_be_read_back_into_its_model():
    output = TrackedObjects(tracked_objects=[a_tracked("car")])

    plain, _ = to_jsonable(output)

    assert TrackedObjects.model_validate(plain) == output


def test_tracked_object_has_the_fields_of_the_contract():
    plain, _ = to_jsonable(a_tracked("car"))

    assert set(plain) == {"track_id", "class_id", "class", "xyxy", "center", "confidence"}

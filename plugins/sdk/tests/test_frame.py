import numpy as np
import pytest

from forgesyte_sdk import Frame


def pixels(height: int = 4, width: int = 6) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_frame_knows_its_size_as_width_and_height():
    assert Frame(image=pixels(height=4, width=6), index=0, timestamp_ms=0.0).size_wh == (6, 4)


def test_pixels_cannot_be_changed():
    frame = Frame(image=pixels(), index=0, timestamp_ms=0.0)

    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0] = 1


def test_each_frame_has_a_shared_dict_of_its_own():
    one, other = (Frame(image=pixels(), index=index, timestamp_ms=0.0) for index in range(2))

    one.shared["grey"] = 1

    assert other.shared == {}


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((4, 6, 3), np.float32), id="floats"),
        pytest.param(np.zeros((4, 6), np.uint8), id="grey"),
        pytest.param(np.zeros((4, 6, 4), np.uint8), id="with alpha"),
        pytest.param(pixels()[:, ::-1], id="not contiguous"),
    ],
)
def test_pixels_of_another_form_are_refused(image):
    with pytest.raises(AssertionError, match="expected C-contiguous uint8"):
        Frame(image=image, index=0, timestamp_ms=0.0)

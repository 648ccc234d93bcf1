import numpy as np
import pytest

from forgesyte_motion_detector.exposure import ExposureFollower, fit_lines


def a_street(seed: int = 1) -> np.ndarray:
    """A scene of soft patches between 60 and 140, 320x180."""
    patches = np.random.default_rng(seed).uniform(60, 140, (18, 32, 1)).repeat(3, axis=2)
    return patches.repeat(10, axis=0).repeat(10, axis=1).astype(np.uint8)


@pytest.mark.parametrize(
    ("factor", "offset"),
    [
        pytest.param(1.0, 0.0, id="nothing"),
        pytest.param(0.6, 0.0, id="darker by a factor"),
        pytest.param(1.0, -50.0, id="darker by an offset"),
        pytest.param(1.2, 10.0, id="lighter by both"),
    ],
)
@pytest.mark.parametrize("covered", [0.0, 0.3], ids=["empty street", "a third covered by a bright object"])
def test_exposure_change_is_evened_out(factor, offset, covered):
    before = a_street()
    after = (before * factor + offset).clip(0, 255).astype(np.uint8)
    object_width = int(320 * covered)
    after[:, :object_width] = 250
    follower = ExposureFollower(history=100)
    follower.even_out(before)

    evened = follower.even_out(after)

    difference = np.abs(evened.astype(int) - before)[:, object_width + 10 :]
    assert difference.max() <= 4
    if covered:
        assert np.abs(evened.astype(int) - before)[:, :object_width].min() > 50


def test_each_channel_is_fitted_on_its_own():
    before = a_street()
    after = (before * (0.7, 1.0, 1.2)).astype(np.uint8)
    follower = ExposureFollower(history=100)
    follower.even_out(before)

    evened = follower.even_out(after)

    assert np.abs(evened.astype(int) - before).max() <= 4


def test_frame_is_not_changed_in_place():
    image = a_street()
    image.flags.writeable = False
    follower = ExposureFollower(history=100)

    follower.even_out(image)
    follower.even_out(image)

    assert np.array_equal(image, a_street())


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_frame_of_one_colour_gives_a_factor_of_one(colour):
    found = np.full((100, 3), colour, np.float32)

    factor, offset = fit_lines(found, np.full((100, 3), 100, np.float32))

    assert factor == pytest.approx(1.0)
    assert offset == pytest.approx(100 - colour)


def test_factor_is_bounded():
    found = np.linspace(0, 10, 300, dtype=np.float32).reshape(100, 3)

    factor, _ = fit_lines(found, found * 25)

    assert factor.max() <= 2.5

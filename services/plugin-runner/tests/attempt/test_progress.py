import pytest

from forgesyte_plugin_runner.attempt.progress import ProgressPolicy, percent_of


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [
        pytest.param(0, 0, 0, id="0 of 0"),
        pytest.param(7, None, 0, id="total unknown"),
        pytest.param(1, 3, 33, id="rounded down"),
        pytest.param(2, 3, 66, id="rounded down again"),
        pytest.param(100, 100, 99, id="the last frame is not yet completed"),
        pytest.param(150, 100, 99, id="more frames than announced"),
    ],
)
def test_per_cent_of_frames(done, total, percent):
    assert percent_of(done, total) == percent


def test_each_five_points_are_due_at_once_and_less_only_after_a_second():
    policy = ProgressPolicy(every_s=1.0)
    policy.written(0, 0, 10.0)

    assert not policy.is_due(4, 4, 10.1), "4 points, too early"
    assert policy.is_due(5, 5, 10.1), "5 points"
    assert policy.is_due(1, 1, 11.0), "a second has passed"


def test_nothing_is_due_while_no_frame_was_done():
    policy = ProgressPolicy(every_s=1.0)
    policy.written(5, 5, 10.0)

    assert not policy.is_due(5, 5, 99.0)

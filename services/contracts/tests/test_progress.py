"""Per cent of frames, and what is shown of it."""

import pytest

from forgesyte_contracts.progress import MOST_WHILE_RUNNING, never_falling, percent_of


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
    assert percent_of(done, total, at_most=MOST_WHILE_RUNNING) == percent


@pytest.mark.parametrize(
    ("shown", "percent", "next_shown"),
    [
        pytest.param(None, None, 0, id="nothing is known"),
        pytest.param(60, 33, 60, id="a later attempt starts again"),
        pytest.param(33, 60, 60, id="further"),
        pytest.param(60, None, 60, id="unknown for now"),
    ],
)
def test_what_is_shown_never_falls(shown, percent, next_shown):
    assert never_falling(shown, percent) == next_shown

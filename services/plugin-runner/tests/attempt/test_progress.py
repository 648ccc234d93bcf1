"""When progress is written, and how fast a job is."""

import pytest

from forgesyte_plugin_runner.attempt.progress import FrameRate, ProgressPolicy


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


def rate_of(*seen):
    rate = FrameRate()
    for now_s, frames in seen:
        rate.note(frames, now_s)
    return rate.per_second


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], None),
        ([(10.0, 0), (14.0, 0)], None),
        ([(10.0, 1), (10.4, 11)], None),
        ([(10.0, 1), (10.5, 11)], 20.0),
        ([(10.0, 1), (11.0, 101), (13.0, 161)], 30.0),
        ([(10.0, 0), (18.0, 0), (20.0, 1), (21.0, 31)], 30.0),
        ([(10.0, 1), (12.0, 31), (13.0, 31), (14.0, 31)], 0.0),
        ([(10.0, 1), (13.0, 2)], 0.3),
    ],
    ids=["nothing", "no frame", "too short", "half a second", "the last 2 s", "loading", "still", "one decimal"],
)
def test_a_rate_counts_the_frames_of_the_last_two_seconds(seen, expected):
    assert rate_of(*seen) == expected


def test_a_rate_keeps_no_more_than_its_two_seconds():
    rate = FrameRate()

    for tick in range(10_000):
        rate.note(tick + 1, tick / 30)

    assert rate.per_second == 30.0
    assert len(rate._seen) <= 62

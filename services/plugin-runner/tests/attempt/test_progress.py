"""When progress is written."""

from forgesyte_plugin_runner.attempt.progress import ProgressPolicy


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

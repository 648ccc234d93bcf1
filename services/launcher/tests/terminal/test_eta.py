import pytest

from forgesyte_launcher.terminal.eta import WINDOW_S, Eta

from ..builders import a_job


def seen(*observations) -> Eta:
    eta = Eta()
    for now_s, frames, percent in observations:
        eta.observe(a_job(current_frame=frames, progress=percent), now_s)
    return eta


def test_one_record_gives_no_speed():
    eta = seen((0.0, 10, 1))

    assert eta.fps is None
    assert eta.seconds_left(a_job(progress=1)) is None


def test_speed_is_frames_over_time():
    assert seen((0.0, 0, 0), (2.0, 50, 10)).fps == 25


def test_records_without_progress_do_not_count():
    assert seen((0.0, 0, 0), (2.0, 50, 10), (2.5, 50, 10)).fps == 25


def test_the_time_left_is_by_frames_when_their_number_is_known():
    eta = seen((0.0, 0, 0), (2.0, 50, 10))

    assert eta.seconds_left(a_job(current_frame=50, total_frames=100, progress=10)) == 2


def test_the_time_left_is_by_percent_otherwise():
    eta = seen((0.0, 0, 0), (2.0, 50, 10))

    assert eta.seconds_left(a_job(current_frame=50, progress=10)) == pytest.approx(18)


def test_a_new_attempt_starts_a_new_estimate():
    assert seen((0.0, 0, 0), (2.0, 50, 10), (3.0, 0, 10), (5.0, 20, 10)).fps == 10


def test_the_estimate_follows_a_change_of_speed():
    fast = [(float(s), s * 100, s) for s in range(20)]
    slow = [(20.0 + s, 1900 + s, 20) for s in range(int(WINDOW_S) + 2)]

    assert seen(*fast, *slow).fps == pytest.approx(1, abs=0.5)

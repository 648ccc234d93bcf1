from forgesyte_chassis.allowance import Allowance
from tests.support.clock import HandClock


def test_a_burst_is_allowed_at_once_and_one_more_is_not():
    clock = HandClock()
    allowance = Allowance(burst=3, per_s=2.0, now_s=clock.monotonic_s)

    assert [allowance.take() for _ in range(4)] == [True, True, True, False]


def test_what_was_taken_comes_back_at_its_rate_and_never_above_the_burst():
    clock = HandClock()
    allowance = Allowance(burst=3, per_s=2.0, now_s=clock.monotonic_s)
    while allowance.take():
        pass

    clock.passed_s += 0.5
    after_half_a_second = [allowance.take() for _ in range(2)]
    clock.passed_s += 3600
    after_an_hour = [allowance.take() for _ in range(4)]

    assert after_half_a_second == [True, False]
    assert after_an_hour == [True, True, True, False]

from forgesyte_plugin_runner.fault_backoff import MAX_REST_S, FaultBackoff
from tests.support import HandClock


def test_each_fault_in_a_row_doubles_the_rest_until_a_job_ends():
    clock = HandClock()
    backoff = FaultBackoff(clock)
    rests_s = []
    for _ in range(8):
        backoff.faulted()
        begun_s = clock.passed_s
        while backoff.is_resting:
            clock.passed_s += 1
        rests_s.append(clock.passed_s - begun_s)

    assert rests_s == [1, 2, 4, 8, MAX_REST_S, MAX_REST_S, MAX_REST_S, MAX_REST_S]
    assert backoff.check() is not True
    backoff.recovered()
    assert backoff.check() is True

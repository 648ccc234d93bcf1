from forgesyte_plugin_runner.attempt.live import watch_leases
from forgesyte_plugin_runner.attempt.live.watch_leases import LEASE_S, MAX_LEASES, WatchLeases
from tests.support import HandClock


def test_a_lease_ends_when_it_was_not_renewed_for_its_time():
    clock = HandClock()
    known = WatchLeases(clock)
    known.renew("job")

    clock.passed_s += LEASE_S - 1
    known.renew("job")
    clock.passed_s += LEASE_S - 1
    was_held = known.holds("job")
    clock.passed_s += 1

    assert was_held
    assert not known.holds("job")
    assert not known.holds("never watched")


def test_an_expired_lease_is_dropped_when_the_next_one_is_renewed():
    clock = HandClock()
    known = WatchLeases(clock)
    for number in range(50):
        known.renew(f"job {number}")

    clock.passed_s += LEASE_S
    known.renew("another")

    assert len(known) == 1


def test_no_more_are_remembered_than_allowed_and_the_newest_are_kept(monkeypatch):
    monkeypatch.setattr(watch_leases, "MAX_LEASES", 3)
    known = WatchLeases(HandClock())

    for number in range(5):
        known.renew(str(number))

    assert [number for number in range(5) if known.holds(str(number))] == [2, 3, 4]
    assert MAX_LEASES >= 1000

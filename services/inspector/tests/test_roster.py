"""Which runners are alive, draining, lost or gone, on a clock that the test turns."""

import pytest

from forgesyte_inspector.roster import Roster
from forgesyte_inspector.settings import InspectorSettings
from tests.support import HandClock


class Fleet:
    """A bus view and a clock, both controlled by the test."""

    def __init__(self, make):
        self.make = make
        self.clock = HandClock()
        self.on_bus = {}
        settings = InspectorSettings(lost_after_s=15, lost_kept_s=60)
        self.roster = Roster(lambda: self.on_bus, self.clock, settings)

    def beat(self, runner_id="one", **facts):
        self.on_bus[runner_id] = self.make.a_heartbeat(runner_id, **facts)
        self.roster.look()

    def later(self, passed_s):
        self.clock.passed_s += passed_s

    def states(self):
        return {seen.runner_id: seen.state.value for seen in self.roster.all()}


@pytest.fixture
def fleet(make):
    return Fleet(make)


def test_runner_that_beats_stays_alive_even_when_every_heartbeat_is_the_same(fleet):
    for _ in range(30):
        fleet.beat()
        fleet.later(2)

    assert fleet.states() == {"one": "alive"}


def test_draining_runner_lives(fleet):
    fleet.beat(draining=True)

    assert fleet.states() == {"one": "draining"}
    assert set(fleet.roster.living()) == {"one"}


def test_runner_that_says_goodbye_leaves_and_is_not_lost(fleet):
    fleet.beat()
    fleet.later(2)
    fleet.on_bus.clear()

    assert fleet.states() == {}


def test_runner_whose_beat_expired_is_lost_and_forgotten_later(fleet):
    fleet.beat()
    fleet.later(8)
    fleet.on_bus.clear()

    assert fleet.states() == {"one": "lost"}
    assert fleet.roster.living() == {}
    fleet.later(60)
    assert fleet.states() == {}


def test_silent_runner_is_lost_although_the_bus_keeps_every_runner_while_it_is_down(fleet):
    fleet.beat()
    fleet.later(14.9)
    assert fleet.states() == {"one": "alive"}

    fleet.later(0.2)

    assert fleet.states() == {"one": "lost"}


def test_lost_runner_that_beats_again_lives(fleet):
    fleet.beat()
    fleet.later(16)
    assert fleet.states() == {"one": "lost"}

    fleet.beat()

    assert fleet.states() == {"one": "alive"}


def test_of_many_lost_runners_the_oldest_are_forgotten(fleet):
    for number in range(150):
        fleet.beat(f"runner-{number:03}")
        fleet.later(0.05)
    fleet.later(20)

    assert len(fleet.states()) == 100

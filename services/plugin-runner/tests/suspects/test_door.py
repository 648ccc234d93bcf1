"""Which job may come in beside which."""

from datetime import timedelta

import pytest

from forgesyte_chassis.bus import Elsewhere
from forgesyte_contracts.blame import CONTROL_S, Circumstances
from forgesyte_contracts.jobs import AttemptEntry, AttemptOutcome, JobRecord
from forgesyte_plugin_runner.suspects.door import AGAIN_S, CLOSED_EVERY_S, CLOSED_S, Door, Suspects
from tests.support import HandClock


class KnownCalm:
    """Takes the place of the heartbeats: one runner that has been calm for `calm_s` seconds."""

    def __init__(self, clock: HandClock) -> None:
        self.clock, self.calm_s = clock, 0.0

    async def periods(self):
        now = self.clock.now()
        return [(now - timedelta(seconds=self.calm_s), now)]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def calm(clock) -> KnownCalm:
    return KnownCalm(clock)


def a_job(clock: HandClock, job_id: str, **changes) -> JobRecord:
    now = clock.now()
    return JobRecord(job_id=job_id, plugin_id="p", tools=("t",), created_at=now, updated_at=now, **changes)


def a_suspect(clock: HandClock, job_id: str = "suspect", alone_faults: tuple[int, ...] = ()) -> JobRecord:
    now = clock.now()
    hit = AttemptEntry(number=1, runner_id="r", started_at=now, ended_at=now, outcome=AttemptOutcome.SURROUNDINGS)
    return a_job(clock, job_id, suspicion=1, alone_faults=alone_faults, attempts=(hit,))


def reason(answer: Circumstances | Elsewhere) -> str:
    return answer.reason if isinstance(answer, Elsewhere) else "alone" if answer.alone else "beside others"


@pytest.mark.parametrize(
    ("mode", "of_a_suspect", "of_another"),
    [
        (Suspects.ALONE, "alone", "beside others"),
        (Suspects.NEVER, "suspect", "beside others"),
        (Suspects.ONLY, "alone", "no suspect"),
    ],
)
async def test_what_an_idle_runner_admits(clock, calm, mode, of_a_suspect, of_another):
    assert reason(await Door(mode, calm, clock).admit(a_suspect(clock))) == of_a_suspect
    assert reason(await Door(mode, calm, clock).admit(a_job(clock, "one"))) == of_another


async def test_nothing_comes_in_beside_a_suspect_until_it_leaves(clock, calm):
    door = Door(Suspects.ALONE, calm, clock)
    await door.admit(a_suspect(clock))

    beside = await door.admit(a_job(clock, "one")), await door.admit(a_suspect(clock, "another"))
    was_open = door.is_open
    door.leave("suspect")

    assert [reason(answer) for answer in beside] == ["held", "suspect"]
    assert [answer.delay_s for answer in beside] == [AGAIN_S, AGAIN_S]
    assert (was_open, door.is_open) == (False, True)


async def test_a_suspect_that_is_cleared_lets_others_in(clock, calm):
    alone = {"suspect": True}
    door = Door(Suspects.ALONE, calm, clock, runs_alone=alone.__getitem__)
    await door.admit(a_suspect(clock))

    alone["suspect"] = False

    assert door.is_open
    assert reason(await door.admit(a_job(clock, "one"))) == "beside others"


async def test_a_runner_that_a_suspect_found_busy_takes_nothing_for_a_while_and_then_again(clock, calm):
    door = Door(Suspects.ALONE, calm, clock)
    await door.admit(a_job(clock, "one"))

    assert reason(await door.admit(a_suspect(clock))) == "suspect"
    closed = door.is_open, reason(await door.admit(a_job(clock, "two")))
    clock.passed_s += CLOSED_S
    later = door.is_open, reason(await door.admit(a_suspect(clock))), reason(await door.admit(a_job(clock, "two")))
    clock.passed_s += CLOSED_EVERY_S - CLOSED_S
    await door.admit(a_suspect(clock))

    assert closed == (False, "held")
    assert later == (True, "suspect", "beside others")
    assert not door.is_open


async def test_the_suspect_for_which_a_runner_waited_comes_in_first(clock, calm):
    door = Door(Suspects.ALONE, calm, clock)
    await door.admit(a_job(clock, "one"))
    await door.admit(a_suspect(clock))

    door.leave("one")

    assert door.is_open
    assert reason(await door.admit(a_job(clock, "two"))) == "held"
    assert reason(await door.admit(a_suspect(clock))) == "alone"


async def test_a_job_that_asks_twice_is_not_beside_itself(clock, calm):
    door = Door(Suspects.ALONE, calm, clock)

    assert [reason(await door.admit(a_suspect(clock))) for _ in range(2)] == ["alone", "alone"]


async def test_plugins_that_are_being_loaded_count_as_others(clock, calm):
    door = Door(Suspects.ALONE, calm, clock, is_loading=lambda: True)

    assert reason(await door.admit(a_suspect(clock))) == "suspect"
    assert reason(await door.admit(a_job(clock, "one"))) == "beside others"


async def test_a_job_that_kills_before_its_first_row_waits_until_the_machine_is_known_to_be_calm(clock, calm):
    door, job = Door(Suspects.ALONE, calm, clock), a_suspect(clock, alone_faults=(-1,))

    clock.passed_s += 4
    calm.calm_s = 3.0
    early = await door.admit(job)
    clock.passed_s += early.delay_s
    calm.calm_s = CONTROL_S
    late = await door.admit(job)

    assert (early.reason, early.delay_s) == ("no control", CONTROL_S - 4)
    assert (late.alone, late.has_control) == (True, True)

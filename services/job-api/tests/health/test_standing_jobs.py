"""Health tells of jobs that do not get on; the runners are played by the test."""

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.runners import RunningStep
from forgesyte_job_api.health.standing_jobs import OVERDUE_S, UNSAID_S, StandingJobs
from forgesyte_job_api.projection import SeenJob
from tests.support import NOW, HandClock

GRACE_S = 120.0


class Jobs:
    """The projection and the runners as a test arranges them."""

    def __init__(self, make, clock):
        self.make, self.clock = make, clock
        self.seen, self.living, self.silent, self.left_s = [], {}, {}, {}

    def on_bus(self):
        return self.seen

    def add(self, record):
        self.seen.append(SeenJob(record, 1, self.clock.monotonic_s()))
        return record

    def beat(self, *plugins, **facts):
        beat = self.make.a_heartbeat(*plugins, **facts)
        self.living[beat.runner_id] = beat
        return beat

    def fall_silent(self, runner_id, for_s):
        self.silent[runner_id] = (for_s, self.living.pop(runner_id))

    def known(self):
        return {runner_id: (0.5, beat) for runner_id, beat in self.living.items()} | self.silent

    def standing(self, grace_s=GRACE_S):
        return StandingJobs(self, lambda: self.living, self.known, self.left_s.get, self.clock, grace_s)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def jobs(make, clock):
    return Jobs(make, clock)


def test_a_pool_that_an_autoscaler_holds_at_zero_is_no_fault_within_runner_grace_s(jobs, make, clock):
    jobs.add(make.a_record())

    clock.passed_s += GRACE_S
    assert jobs.standing().without_runner() is None

    clock.passed_s += 1
    assert "no runner lives" in jobs.standing().without_runner()


def test_jobs_without_a_runner_that_fell_silent_are_told_at_once(jobs, make):
    jobs.beat()
    jobs.add(make.a_record())
    assert jobs.standing().without_runner() is None

    jobs.fall_silent("runner-1", 9)

    assert "fell silent 9 s ago" in jobs.standing().without_runner()


def test_a_runner_lost_before_the_pool_was_brought_to_zero_does_not_end_the_grace(jobs, make, clock):
    beat = jobs.beat()
    jobs.fall_silent("runner-1", 600)
    jobs.left_s[beat.plugins[0].name] = 60
    jobs.add(make.a_record())
    assert jobs.standing().without_runner() is None

    clock.passed_s += GRACE_S + 1
    assert "waited for" in jobs.standing().without_runner()


def test_a_running_job_whose_owner_is_dead_waits_too(jobs, make):
    jobs.beat()
    jobs.add(moves.claimed(make.a_record(), "runner-1", NOW))
    assert jobs.standing().without_runner() is None

    jobs.fall_silent("runner-1", 9)

    assert jobs.standing().without_runner()


def test_a_runner_that_drains_takes_no_job(jobs, make, clock):
    beat = jobs.beat()
    jobs.living["runner-1"] = beat.model_copy(update={"draining": True})
    jobs.add(make.a_record())
    clock.passed_s += GRACE_S + 1

    assert jobs.standing().without_runner()


def test_a_job_for_a_gpu_waits_for_a_runner_with_one(jobs, make, clock):
    jobs.beat(devices=("cpu",))
    jobs.add(make.a_record(device="gpu", device_requested="gpu"))
    clock.passed_s += GRACE_S + 1

    assert "no runner with a gpu lives" in jobs.standing().without_runner()


def test_a_wanted_plugin_that_no_living_runner_offers_is_told(jobs, make, clock):
    jobs.beat(make.a_plugin("another"))
    jobs.add(make.a_record())
    assert jobs.standing().without_plugin() is None, "its pool may be at zero"

    clock.passed_s += GRACE_S + 1

    assert "no living runner offers it" in jobs.standing().without_plugin()
    assert jobs.standing().without_runner() is None


def test_a_wanted_plugin_that_is_broken_in_every_runner_is_told_at_once_with_its_reason(jobs, make):
    jobs.beat(make.a_plugin(state=PluginState.FAILED, reason="it has no model", manifest=None))
    jobs.add(make.a_record())

    assert "it has no model" in jobs.standing().without_plugin()


def test_nothing_is_told_where_no_job_waits(jobs, make):
    jobs.beat(make.a_plugin(state=PluginState.FAILED, reason="it has no model"))
    jobs.add(moves.cancelled(make.a_record(), NOW))
    jobs.fall_silent("runner-1", 9)

    standing = jobs.standing()
    assert (standing.without_runner(), standing.without_plugin(), standing.overdue()) == (None, None, None)


def test_a_step_over_its_own_limit_by_overdue_s_is_told(jobs, make):
    record = jobs.add(moves.claimed(make.a_record(), "runner-1", NOW))
    beat = jobs.beat()
    jobs.living["runner-1"] = beat.model_copy(update={"steps": (RunningStep(job_id=record.job_id, left_s=5),)})

    jobs.fall_silent("runner-1", 5 + OVERDUE_S)
    assert jobs.standing().overdue() is None

    jobs.silent["runner-1"] = (5 + OVERDUE_S + 1, jobs.silent["runner-1"][1])
    assert record.job_id in jobs.standing().overdue()
    assert "Restart that runner" in jobs.standing().overdue()


def test_a_job_of_which_a_silent_runner_said_nothing_is_over_its_limit_after_unsaid_s(jobs, make):
    jobs.add(moves.claimed(make.a_record(), "runner-1", NOW))
    jobs.beat()

    jobs.fall_silent("runner-1", UNSAID_S + OVERDUE_S)
    assert jobs.standing().overdue() is None

    jobs.silent["runner-1"] = (UNSAID_S + OVERDUE_S + 1, jobs.silent["runner-1"][1])
    assert jobs.standing().overdue()

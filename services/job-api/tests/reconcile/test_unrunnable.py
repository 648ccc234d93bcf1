"""How long no runner could run a job, and when the job ends for that."""

import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_job_api.catalog import offers_of
from forgesyte_job_api.reconcile.unrunnable import Unrunnable


@pytest.fixture
def clock(make):
    return make.HandClock()


@pytest.fixture
def judge(clock):
    return Unrunnable(clock, broken_s=60, absent_s=86400)


def broken(make):
    return offers_of({"runner-1": make.a_heartbeat(make.a_plugin(state=PluginState.FAILED, reason="it raised"))})


def working(make, **facts):
    return offers_of({"runner-1": make.a_heartbeat(make.a_plugin(), **facts)})


def test_a_plugin_broken_for_60_s_ends_its_jobs_with_the_reason(judge, clock, make):
    job = make.a_record()
    assert judge.verdicts(broken(make), [job]) == {}
    clock.passed_s = 59
    assert judge.verdicts(broken(make), [job]) == {}

    clock.passed_s = 60
    verdicts = judge.verdicts(broken(make), [job])

    assert "it raised" in verdicts[job.job_id]


def test_time_counts_from_zero_when_it_worked_in_between(judge, clock, make):
    job = make.a_record()
    judge.verdicts(broken(make), [job])
    clock.passed_s = 59
    judge.verdicts(working(make), [job])

    clock.passed_s = 100
    assert judge.verdicts(broken(make), [job]) == {}


def test_time_counts_from_zero_after_an_interruption_of_the_bus(judge, clock, make):
    job = make.a_record()
    judge.verdicts(broken(make), [job])
    clock.passed_s = 100

    judge.reset()

    assert judge.verdicts(broken(make), [job]) == {}


@pytest.mark.parametrize("offers", ["no runner at all", "only on another device"])
def test_a_plugin_that_no_runner_offers_for_24_h_ends_its_jobs(judge, clock, make, offers):
    job = make.a_record(device="gpu")
    found = {} if offers == "no runner at all" else working(make, devices=("cpu",))
    judge.verdicts(found, [job])
    clock.passed_s = 86399
    assert judge.verdicts(found, [job]) == {}

    clock.passed_s = 86400
    verdicts = judge.verdicts(found, [job])

    assert "No runner has offered plugin motion on gpu" in verdicts[job.job_id]


def test_what_is_offered_stays(judge, clock, make):
    job = make.a_record()
    judge.verdicts(working(make), [job])
    clock.passed_s = 10 * 86400

    assert judge.verdicts(working(make), [job]) == {}

"""Faults that are kept: for how long, how many, and that telling one leaves no trace in it."""

import pytest

from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_job_api.results import faults
from forgesyte_job_api.results.faults import FAULT_KEPT_S, LASTING_FAULT_S, KeptFaults


def a_fault(code=Code.MEDIA_INVALID):
    return ForgeSyteError(code, "the reason", job_id="that one")


@pytest.mark.parametrize(
    ("code", "lifetime_s"),
    [
        (Code.STORAGE_FULL, FAULT_KEPT_S),
        (Code.SERVICE_UNAVAILABLE, FAULT_KEPT_S),
        (Code.MEDIA_INVALID, LASTING_FAULT_S),
        (Code.PLUGIN_CRASH, LASTING_FAULT_S),
        (Code.INTERNAL, LASTING_FAULT_S),
    ],
)
def test_a_fault_is_told_until_it_may_be_over(make, code, lifetime_s):
    clock, job_id = make.HandClock(), new_job_id()
    kept = KeptFaults(clock)
    kept.keep(job_id, a_fault(code))

    clock.passed_s = lifetime_s - 1
    told = kept.of(job_id)
    clock.passed_s = lifetime_s

    assert (told.code, told.detail, told.data) == (code, "the reason", {"job_id": "that one"})
    assert kept.of(job_id) is None


def test_each_one_is_told_an_error_of_its_own_so_that_no_traceback_grows(make):
    kept, job_id, fault = KeptFaults(make.HandClock()), new_job_id(), a_fault()
    kept.keep(job_id, fault)

    first, second = kept.of(job_id), kept.of(job_id)

    assert len({id(error) for error in (fault, first, second)}) == 3


def test_a_fault_that_is_over_is_not_held(make):
    clock, first, second = make.HandClock(), new_job_id(), new_job_id()
    kept = KeptFaults(clock)
    kept.keep(first, a_fault(Code.STORAGE_FULL))
    kept.keep(second, a_fault())

    clock.passed_s = FAULT_KEPT_S
    kept.keep(new_job_id(), a_fault())

    assert len(kept) == 2
    assert kept.of(second) is not None


def test_of_too_many_faults_the_oldest_are_forgotten(make, monkeypatch):
    monkeypatch.setattr(faults, "MAX_FAULTS", 2)
    kept, jobs = KeptFaults(make.HandClock()), [new_job_id() for _ in range(3)]
    for job_id in (*jobs[:2], jobs[0], jobs[2]):
        kept.keep(job_id, a_fault())

    assert [kept.of(job_id) is not None for job_id in jobs] == [True, False, True]


def test_a_fault_that_was_forgotten_is_not_told(make):
    kept, job_id = KeptFaults(make.HandClock()), new_job_id()
    kept.keep(job_id, a_fault())

    kept.forget(job_id)

    assert kept.of(job_id) is None

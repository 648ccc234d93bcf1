"""What an operator sees of the reconciler's rounds: the failures, the age of the last complete one, and /health."""

import pytest
from prometheus_client import CollectorRegistry

from forgesyte_contracts import moves
from forgesyte_contracts.subjects import job_folder
from forgesyte_job_api.health.report import OK
from forgesyte_job_api.metrics import ApiMetrics
from forgesyte_job_api.reconcile.rounds import STALE_AFTER_ROUNDS, RoundOutcome, Rounds
from tests.support import eventually

EVERY_S = 2.0
FAST = {"reconcile_every_s": 0.02, "health_kept_s": 0.0, "judge_after_s": 3600.0}
"""Rounds that follow each other closely, so that a test need not wait long for a stale one."""


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def clock(make):
    return make.HandClock()


@pytest.fixture
def rounds(clock, registry):
    return Rounds(clock, ApiMetrics(registry), every_s=EVERY_S)


def test_health_is_ok_until_30_periods_have_passed_without_a_complete_round(rounds, clock):
    clock.passed_s = STALE_AFTER_ROUNDS * EVERY_S
    assert rounds.health() == OK

    clock.passed_s += 1

    assert "last complete round" in rounds.health()
    assert "61 s ago" in rounds.health()


def test_a_complete_round_makes_health_ok_again(rounds, clock):
    clock.passed_s = 1000
    assert rounds.health() != OK

    rounds.note(RoundOutcome.COMPLETE)

    assert rounds.health() == OK


@pytest.mark.parametrize(("outcome", "failures"), [("COMPLETE", 0), ("INCOMPLETE", 1), ("FAILED", 1), ("DEFERRED", 0)])
def test_only_failed_rounds_are_counted(rounds, registry, outcome, failures):
    rounds.note(RoundOutcome[outcome])

    assert registry.get_sample_value("forgesyte_api_reconcile_failures_total") == failures


@pytest.mark.parametrize(("outcome", "age_s"), [("COMPLETE", 0), ("INCOMPLETE", 0), ("FAILED", 7), ("DEFERRED", 7)])
def test_only_a_round_over_every_job_resets_the_age(rounds, registry, clock, outcome, age_s):
    clock.passed_s = 7

    rounds.note(RoundOutcome[outcome])

    assert registry.get_sample_value("forgesyte_api_reconcile_age_seconds") == age_s


async def finding(api) -> str:
    return (await api.http.get("/health")).json()["checks"]["reconciler"]


async def is_fine(api) -> bool:
    return await finding(api) == OK


async def is_degraded(api) -> bool:
    report = (await api.http.get("/health")).json()
    return report["status"] == "degraded" and "last complete round" in report["checks"]["reconciler"]


@pytest.mark.slow
async def test_without_a_bus_health_is_degraded_until_a_round_succeeds(start):
    async with start(**FAST) as api:
        await eventually(lambda: is_fine(api))

        api.server.kill()
        await eventually(lambda: is_degraded(api))

        await api.server.restart()
        await eventually(lambda: is_fine(api), 60)


@pytest.mark.slow
async def test_rounds_without_a_store_are_counted_and_degrade_health_until_one_succeeds(start, make, tmp_path):
    async with start(**FAST, record_copy_after_s=0) as api:
        jobs = tmp_path / "store" / job_folder("-").partition("/")[0]
        jobs.write_bytes(b"a file where the store needs a folder")
        await api.put(moves.cancelled(make.a_record(), make.NOW))

        await eventually(lambda: is_degraded(api))
        assert api.value("reconcile_failures_total") > 0

        jobs.unlink()
        await eventually(lambda: is_fine(api), 60)
        assert api.value("reconcile_age_seconds") < STALE_AFTER_ROUNDS * FAST["reconcile_every_s"]


async def test_a_round_in_which_one_job_failed_is_incomplete(start, make, monkeypatch):
    async with start(resend_after_s=0) as api:
        await api.put(make.a_record())

        async def broken(*_args):
            raise RuntimeError("anything")

        monkeypatch.setattr(api.bus.work, "has", broken)

        assert await api.state.reconciler().round() is RoundOutcome.INCOMPLETE

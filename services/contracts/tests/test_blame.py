"""Who is to blame when what ran a sandbox died, as a table; test_blame_simulation.py has the same over whole lives."""

from datetime import UTC, datetime, timedelta

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.blame import (
    BEFORE_FIRST_ROW,
    CONTROL_S,
    MAX_ALONE_FAULTS,
    MAX_CONTROL_S,
    MOST_SPARED,
    PATIENCE_S,
    TURN_S,
    Circumstances,
    Fault,
    has_control,
    needs_control,
    seconds_to_wait,
    side_by_side,
)
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HERE = Circumstances(boot_id="boot", oom_kills=3)
ALONE = Circumstances(boot_id="boot", oom_kills=3, alone=True)
CONTROLLED = Circumstances(boot_id="boot", oom_kills=3, alone=True, has_control=True)


def a_job(**changes) -> JobRecord:
    facts = {"job_id": "j", "plugin_id": "p", "tools": ("t",), "created_at": NOW, "updated_at": NOW}
    return JobRecord(**{**facts, **changes})


def a_fault(frame: int | None = 5, *, alone: bool = True, witnessed: bool = True, **facts: bool) -> Fault:
    """A fault; `facts` are `control` and `shared`."""
    has_control, is_shared = facts.get("control", False), facts.get("shared", False)
    return Fault("its zygote was killed", frame, witnessed, alone, has_control, is_shared)


def hit(record: JobRecord, fault: Fault) -> JobRecord:
    """Claim the job and let the fault happen under it."""
    return moves.faulted(moves.claimed(record, "r", NOW, ALONE if fault.was_alone else HERE), fault, NOW)


def hit_all(*faults: Fault) -> JobRecord:
    record = a_job()
    for fault in faults:
        record = hit(record, fault)
    return record


@pytest.mark.parametrize(
    ("fault", "outcome", "suspicion", "alone_faults"),
    [
        pytest.param(a_fault(alone=False), "surroundings", 1, (), id="beside others"),
        pytest.param(a_fault(alone=True), "lost", 0, (5,), id="alone"),
        pytest.param(a_fault(None), "lost", 0, (BEFORE_FIRST_ROW,), id="alone before the first frame"),
        pytest.param(a_fault(0), "lost", 0, (BEFORE_FIRST_ROW,), id="alone at the first frame"),
        pytest.param(a_fault(alone=False, witnessed=False), "surroundings", 1, (), id="no witness, beside others"),
        pytest.param(a_fault(alone=True, witnessed=False), "surroundings", 0, (), id="no witness, alone"),
    ],
)
def test_one_fault_ends_no_job(fault, outcome, suspicion, alone_faults):
    job = hit_all(fault)

    assert job.attempts[-1].outcome == outcome
    assert (job.status, job.owner, job.suspicion, job.alone_faults) == ("running", None, suspicion, alone_faults)
    assert job.deaths_without_checkpoint == 0
    assert job.attempts_spared == (outcome == "surroundings")


def test_the_same_frame_twice_while_alone_ends_the_job_with_a_reason():
    job = hit_all(a_fault(alone=False), a_fault(5), a_fault(5))

    assert (job.status, job.error_code) == (JobStatus.FAILED, "PLUGIN_CRASH")
    assert job.error_message == (
        "At frame 5, its zygote was killed while only this job ran there; this happened 2 times. "
        "A plugin may signal, trace or stop no process but its own. Fix the plugin, then submit the job again."
    )


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        pytest.param([a_fault(5), a_fault(6)], "running", id="two frames"),
        pytest.param([a_fault(alone=False)] * 40, "running", id="always beside others"),
        pytest.param([a_fault(5, witnessed=False)] * 40, "running", id="a crash loop without a witness"),
        pytest.param([a_fault(None)] * 15, "running", id="before the first row without a control"),
        pytest.param([a_fault(None), a_fault(None, control=True)], "failed", id="before the first row with a control"),
        pytest.param([a_fault(witnessed=False, control=True)] * MOST_SPARED, "running", id="spared so often"),
        pytest.param([a_fault(witnessed=False, control=True)] * (MOST_SPARED + 1), "failed", id="spared too often"),
        pytest.param(
            ([a_fault(witnessed=False, control=True)] * (MOST_SPARED - 1) + [a_fault(witnessed=False)]) * 3,
            "running",
            id="spared too often, but not in a row with a control",
        ),
        pytest.param(
            [a_fault(witnessed=False, control=True)] * MOST_SPARED
            + [a_fault(4)]
            + [a_fault(witnessed=False, control=True)] * MOST_SPARED,
            "running",
            id="spared too often, with a fault that counts between",
        ),
        pytest.param([a_fault(shared=True)] * 40, "running", id="always with other runners, without a control"),
        pytest.param(
            [a_fault(shared=True, control=True)] * (MOST_SPARED + 1), "failed", id="always with other runners"
        ),
        pytest.param([a_fault(frame) for frame in range(1, 16)], "running", id="anywhere without a control"),
        pytest.param([a_fault(frame, control=True) for frame in range(1, 5)], "running", id="four frames"),
        pytest.param([a_fault(frame, control=True) for frame in range(1, 6)], "failed", id="five frames"),
        pytest.param([a_fault(5), a_fault(6), a_fault(5)], "failed", id="the same frame, with another between"),
    ],
)
def test_what_ends_a_job(faults, status):
    job = hit_all(*faults)

    assert job.status == status
    assert len(job.alone_faults) <= MAX_ALONE_FAULTS


def test_five_faults_at_different_frames_are_all_named():
    job = hit_all(a_fault(None), *(a_fault(frame, control=True) for frame in (3, 9, 4, 8)))

    assert "5 times, its zygote was killed while only this job ran there, at the frames none, 3, 9, 4, 8." in (
        job.error_message
    )


def test_faults_that_prove_nothing_use_up_no_attempt_and_the_others_do():
    job = a_job()
    for _ in range(3 * moves.MAX_ATTEMPTS):
        job = hit(job, a_fault(alone=False))
    for _ in range(moves.MAX_ATTEMPTS):
        job = moves.released(moves.claimed(job, "r", NOW), 0, NOW)
    assert job.status is JobStatus.RUNNING

    job = moves.claimed(job, "r", NOW)

    assert (job.status, job.error_code) == (JobStatus.FAILED, "ATTEMPTS_EXHAUSTED")


@pytest.mark.parametrize(
    ("finder", "outcome"),
    [
        pytest.param(HERE, "lost", id="the same boot, no memory killer"),
        pytest.param(Circumstances(boot_id="later boot", oom_kills=3), "surroundings", id="the machine rebooted"),
        pytest.param(Circumstances(boot_id="boot", oom_kills=4), "surroundings", id="the memory killer was at work"),
        pytest.param(Circumstances(boot_id="boot"), "surroundings", id="the memory killer is not counted here"),
        pytest.param(Circumstances(), "surroundings", id="nothing is known"),
    ],
)
def test_the_next_claimer_is_a_witness_only_on_the_same_machine(finder, outcome):
    job = moves.progressed(moves.claimed(a_job(), "r1", NOW, ALONE), NOW, current_frame=9, end_frame=8)

    job = moves.claimed(job, "r2", NOW, finder)

    assert (job.attempts[0].outcome, job.attempts[0].frame) == (outcome, 9)
    assert job.alone_faults == ((9,) if outcome == "lost" else ())
    assert (job.owner, job.attempt) == ("r2", 2)


def test_a_claim_can_find_that_the_job_is_to_blame():
    job = a_job(alone_faults=(9,))
    job = moves.progressed(moves.claimed(job, "r1", NOW, ALONE), NOW, current_frame=9, end_frame=8)

    job = moves.claimed(job, "r2", NOW, HERE)

    assert (job.status, job.error_code, job.owner) == (JobStatus.FAILED, "PLUGIN_CRASH", None)


def test_a_runner_that_died_before_rows_were_committed_proves_nothing_without_a_control():
    hit_before = a_job(alone_faults=(-1, -1))
    job = moves.progressed(moves.claimed(hit_before, "r", NOW, ALONE), NOW, current_frame=3)
    controlled = moves.progressed(moves.claimed(hit_before, "r", NOW, CONTROLLED), NOW, current_frame=3)

    assert moves.orphaned(job, "r", "its runner was killed", NOW, HERE).alone_faults == (-1, -1, -1)
    assert moves.orphaned(controlled, "r", "its runner was killed", NOW, HERE).status is JobStatus.FAILED


@pytest.mark.parametrize(
    "job",
    [
        moves.claimed(a_job(), "another", NOW),
        moves.released(moves.claimed(a_job(), "r", NOW), 3, NOW),
        moves.completed(moves.claimed(a_job(), "r", NOW), NOW),
        a_job(),
    ],
    ids=["owned by another", "given back", "ended", "never claimed"],
)
def test_a_job_that_the_dead_runner_does_not_own_is_left_alone(job):
    assert moves.orphaned(job, "r", "its runner was killed", NOW, HERE) is job


def test_rows_beyond_every_fault_clear_a_suspect_and_open_its_runner():
    job = hit_all(a_fault(400, alone=False), a_fault(500))
    job = moves.claimed(job, "r", NOW, ALONE)

    before = moves.progressed(job, NOW, end_frame=501)
    after = moves.progressed(before, NOW, end_frame=502)

    assert (before.suspicion, before.alone_faults, before.runs_alone) == (1, (500,), True)
    assert (after.suspicion, after.alone_faults, after.runs_alone, after.is_suspect) == (0, (), False, False)


def test_rows_that_an_earlier_attempt_had_committed_clear_nothing():
    job = moves.progressed(moves.claimed(a_job(), "r", NOW, HERE), NOW, current_frame=300, end_frame=300)
    job = moves.claimed(moves.faulted(job, a_fault(10, alone=False), NOW), "r", NOW, ALONE)

    assert moves.progressed(job, NOW, end_frame=300).is_suspect


def test_completion_clears():
    job = moves.completed(moves.claimed(hit_all(a_fault(alone=False), a_fault(5)), "r", NOW, ALONE), NOW)

    assert (job.suspicion, job.alone_faults, job.is_suspect) == (0, (), False)


@pytest.mark.parametrize(
    ("calm_s", "expected"),
    [
        pytest.param([], False, id="no runner known"),
        pytest.param([(-60, 9)], False, id="calm long before the fault and 9 s after it"),
        pytest.param([(-60, 10)], True, id="calm for 10 s after the fault"),
        pytest.param([(5, 12)], False, id="calm for 7 s"),
        pytest.param([(5, 12), (3, 13)], True, id="one of two was calm"),
    ],
)
def test_a_control_is_ten_seconds_without_a_fault_since_the_job_s_last_one(calm_s, expected):
    job = hit_all(a_fault(5))
    calm = [(NOW + timedelta(seconds=since), NOW + timedelta(seconds=until)) for since, until in calm_s]

    assert has_control(job, calm) is expected


@pytest.mark.parametrize(
    ("alone_faults", "expected"),
    [((), False), ((5,), False), ((-1,), True), ((5, 6, 7), False), ((5, 6, 7, 8), True)],
)
def test_a_job_waits_for_a_control_only_where_its_next_fault_needs_one(alone_faults, expected):
    assert needs_control(a_job(suspicion=1, alone_faults=alone_faults)) is expected


def test_records_from_before_this_rule_load_as_no_suspects():
    text = moves.claimed(a_job(), "r", NOW).model_dump(
        mode="json", exclude={"suspicion", "alone_faults", "attempts_spared"}
    )
    for new in ("alone", "boot_id", "oom_kills", "has_control", "policy"):
        text["attempts"][0].pop(new)

    job = JobRecord.model_validate(text)

    assert (job.is_suspect, job.runs_alone, job.attempts[0].outcome) == (False, False, None)
    assert moves.claimed(job, "r2", NOW, HERE).attempts[0].outcome is AttemptOutcome.SURROUNDINGS


def a_suspect(name: str, *faults: int, age_s: float = 0, owner: str | None = None, spared: int = 0) -> JobRecord:
    made = NOW - timedelta(seconds=age_s)
    return a_job(job_id=name, suspicion=1, alone_faults=faults, created_at=made, owner=owner, spared_alone=spared)


@pytest.mark.parametrize(
    ("suspects", "beside"),
    [
        pytest.param([a_suspect("a"), a_suspect("b")], "ab", id="no fault alone"),
        pytest.param([a_suspect("a", 5), a_suspect("b"), a_suspect("c", 7)], "ab", id="the one that comes first"),
        pytest.param([a_suspect("a", 5), a_suspect("b", 5, age_s=1)], "b", id="the oldest"),
        pytest.param([a_suspect("a", 5, age_s=1), a_suspect("b", 5, owner="r")], "b", id="the one that runs"),
        pytest.param(
            [a_suspect("a", BEFORE_FIRST_ROW, age_s=1), a_suspect("b", 5)], "b", id="not one that waits for its control"
        ),
        pytest.param(
            [a_suspect("a", spared=2, age_s=1), a_suspect("b", spared=1)], "b", id="the one spared less often"
        ),
        pytest.param([a_suspect("a", 5, age_s=TURN_S), a_suspect("b", 7)], "ab", id="one that nothing takes is late"),
        pytest.param([a_suspect("a", 5, age_s=TURN_S), a_suspect("b", 7, owner="r")], "b", id="late, and one runs"),
        pytest.param([], "", id="none"),
    ],
)
def test_of_the_suspects_that_met_a_fault_alone_one_runs_at_a_time(suspects, beside):
    assert [record.job_id for record in side_by_side(suspects, NOW)] == [*beside]


def killed_by_memory(job: JobRecord, number: int, now: datetime, *, has_control: bool) -> JobRecord:
    """Run the job alone for 5 s, until the memory killer ends its runner; another process of the machine finds out."""
    claimer = Circumstances("boot", number, alone=job.is_suspect, has_control=has_control)
    job = moves.claimed(job, f"r{number}", now, claimer)
    finder = Circumstances("boot", number + 1)
    return moves.orphaned(job, f"r{number}", "its runner disappeared", now + timedelta(seconds=5), finder)


def test_a_job_whose_memory_kills_its_runner_each_time_runs_alone_and_ends():
    job, beside = a_job(), 0
    for number in range(100):
        beside += not job.is_suspect
        job = killed_by_memory(job, number, NOW + timedelta(seconds=20 * number), has_control=number > 1)
        if job.is_terminal:
            break

    assert (job.status, job.error_code, job.error_type) == ("failed", "ATTEMPTS_EXHAUSTED", "AttemptsExhausted")
    assert job.error_message.startswith("11 times in a row, its runner disappeared while the job ran alone")
    assert "Check the memory limits of the machine and of the container" in job.error_message
    assert (beside, job.alone_faults) == (1, ())


def test_new_rows_begin_the_count_of_spared_attempts_again():
    job = a_job(suspicion=1, spared_alone=MOST_SPARED, best_frame=5)
    job = moves.claimed(job, "r", NOW, CONTROLLED)

    assert moves.progressed(job, NOW, end_frame=5).spared_alone == MOST_SPARED
    assert moves.progressed(job, NOW, end_frame=6).spared_alone == 0


@pytest.mark.parametrize(
    ("waited_s", "is_controlled", "expected_s"),
    [
        pytest.param(0, False, 10, id="at once"),
        pytest.param(9.5, False, 1, id="nearly calm"),
        pytest.param(10, True, 0, id="calm"),
        pytest.param(10, False, 1, id="not calm yet"),
        pytest.param(10.5 + PATIENCE_S, False, 0, id="it will not be"),
    ],
)
def test_a_spared_job_waits_for_a_control_and_then_starts_without_one(waited_s, is_controlled, expected_s):
    job = killed_by_memory(a_job(suspicion=1), 1, NOW, has_control=False)
    now = NOW + timedelta(seconds=5 + waited_s)

    assert seconds_to_wait(job, now, is_controlled=is_controlled) == expected_s


def test_the_calm_must_last_twice_as_long_as_the_longest_attempt_that_was_spared():
    def calm(job: JobRecord, seconds: float) -> bool:
        ended = job.attempts[-1].ended_at
        return has_control(job, [(NOW, ended + timedelta(seconds=seconds))])

    job = moves.claimed(a_job(suspicion=1), "r", NOW, ALONE)
    long = moves.orphaned(job, "r", "its runner disappeared", NOW + timedelta(seconds=40))
    both = killed_by_memory(long, 9, NOW + timedelta(seconds=200), has_control=True)
    found_late = moves.orphaned(job, "r", "its runner disappeared", NOW + timedelta(hours=9))

    assert [calm(long, seconds) for seconds in (CONTROL_S, 79, 80)] == [False, False, True]
    assert [calm(both, seconds) for seconds in (CONTROL_S, 79, 80)] == [False, False, True]
    assert calm(found_late, MAX_CONTROL_S)


def test_the_rest_grows_with_each_fault_that_had_no_control():
    job, waits_s = a_job(suspicion=1), []
    for number in range(5):
        job = killed_by_memory(job, number, NOW, has_control=False)
        waits_s.append(seconds_to_wait(job, NOW + timedelta(seconds=5), is_controlled=True))

    assert waits_s == [10, 20, 40, 60, 60]


def test_a_death_that_other_runners_share_is_no_fault_alone():
    job = moves.claimed(a_job(suspicion=1, best_frame=8), "r", NOW, ALONE)
    job = moves.progressed(job, NOW, current_frame=9, end_frame=8)
    found = Circumstances("boot", 3, is_shared=True)

    job = moves.orphaned(job, "r", "its runner was killed", NOW, found)

    assert (job.attempts[-1].outcome, job.alone_faults, job.spared_alone) == ("surroundings", (), 1)

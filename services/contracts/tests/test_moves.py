"""The record's life: every legal move, every illegal one, and when a job is given up."""

from datetime import UTC, datetime

import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.jobs import AttemptOutcome, JobRecord, JobStatus, RowRange
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import ResultSummary
from forgesyte_contracts.warnings import JobWarning

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_job(**changes) -> JobRecord:
    facts = {"job_id": "j", "plugin_id": "p", "tools": ("t",), "created_at": NOW, "updated_at": NOW}
    return JobRecord(**{**facts, **changes})


def a_running_job(runner: str = "r1", **changes) -> JobRecord:
    return moves.claimed(a_job(**changes), runner, NOW)


def test_claim_writes_owner_and_attempt_plus_one():
    job = a_running_job()

    assert (job.status, job.owner, job.attempt) == (JobStatus.RUNNING, "r1", 1)
    assert job.order == "1.0"
    assert job.started_at == NOW
    assert job.attempts[0].outcome is None


def test_claim_of_a_job_whose_runner_vanished_closes_that_attempt_without_using_it_up():
    job = moves.claimed(a_running_job(), "r2", NOW)

    assert (job.owner, job.attempt) == ("r2", 2)
    assert job.attempts[0].outcome is AttemptOutcome.SURROUNDINGS
    assert job.attempts_spared == 1


@pytest.mark.parametrize("end", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
@pytest.mark.parametrize(
    "move",
    [
        lambda job: moves.claimed(job, "r9", NOW),
        lambda job: moves.progressed(job, NOW, progress=50),
        lambda job: moves.completed(job, NOW),
        lambda job: moves.failed(job, Code.INTERNAL, "x", "y", NOW),
        lambda job: moves.cancelled(job, NOW),
        lambda job: moves.released(job, None, NOW),
        lambda job: moves.died(job, AttemptOutcome.CRASHED, 1, "it crashed", NOW),
    ],
    ids=["claim", "progress", "complete", "fail", "cancel", "release", "die"],
)
def test_terminal_states_never_change(end, move):
    job = a_job(status=end)

    with pytest.raises(moves.IllegalJobMove) as caught:
        move(job)

    assert end.value in caught.value.detail


def test_pending_cannot_become_completed():
    with pytest.raises(moves.IllegalJobMove, match="pending and cannot become completed"):
        moves.completed(a_job(), NOW)


def test_progress_never_falls_and_shows_at_most_99_until_completed():
    job = moves.progressed(a_running_job(), NOW, progress=40)

    assert moves.progressed(job, NOW, progress=30).progress == 40
    assert moves.progressed(job, NOW, progress=100).progress == 99
    assert moves.completed(job, NOW).progress == 100


def test_progress_survives_a_new_attempt_that_starts_at_frame_0():
    job = moves.progressed(a_running_job(), NOW, progress=40, current_frame=40, end_frame=40)

    again = moves.claimed(job, "r2", NOW)

    assert (again.progress, again.current_frame, again.rows) == (40, 0, ())


def test_a_checkpoint_commits_rows_of_this_attempt():
    job = moves.progressed(a_running_job(), NOW, end_frame=200)

    assert job.rows == (RowRange(attempt=1, first_frame=0, end_frame=200),)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (AttemptOutcome.TIMEOUT, "PLUGIN_TIMEOUT"),
        (AttemptOutcome.OOM, "PLUGIN_OOM"),
        (AttemptOutcome.CRASHED, "PLUGIN_CRASH"),
    ],
)
def test_two_deaths_at_the_same_frame_end_the_job(outcome, code):
    job = moves.died(a_running_job(), outcome, 7, "it went wrong", NOW)
    assert job.status is JobStatus.RUNNING

    job = moves.died(moves.claimed(job, "r1", NOW), outcome, 7, "it went wrong", NOW)

    assert (job.status, job.error_code, job.error_type) == (JobStatus.FAILED, code, outcome.value)
    assert "At frame 7, it went wrong; this happened 2 times." in job.error_message


def test_skip_bad_frames_skips_that_frame_with_a_warning_instead():
    job = moves.died(a_running_job(skip_bad_frames=True), AttemptOutcome.CRASHED, 7, "it crashed", NOW)

    job = moves.died(moves.claimed(job, "r1", NOW), AttemptOutcome.CRASHED, 7, "it crashed", NOW)

    assert job.status is JobStatus.RUNNING
    assert job.skip_frames == (7,)
    assert "frame 7 was skipped" in job.warnings[0].text
    assert (job.warnings[0].frame_index, job.warnings[0].severity) == (7, "high")
    assert job.warnings[0].frame_index == 7


def test_three_deaths_in_a_row_without_a_checkpoint_end_the_job():
    job = a_running_job()
    for frame in (1, 2):
        job = moves.claimed(moves.died(job, AttemptOutcome.CRASHED, frame, "it crashed", NOW), "r1", NOW)

    job = moves.died(job, AttemptOutcome.CRASHED, 3, "it crashed", NOW)

    assert job.status is JobStatus.FAILED
    assert "3 times in a row" in job.error_message


def test_a_new_checkpoint_resets_the_count_of_deaths():
    job = a_running_job()
    for frame in (1, 2):
        job = moves.claimed(moves.died(job, AttemptOutcome.CRASHED, frame, "it crashed", NOW), "r1", NOW)
    job = moves.progressed(job, NOW, end_frame=200)

    job = moves.died(job, AttemptOutcome.CRASHED, 300, "it crashed", NOW)

    assert job.status is JobStatus.RUNNING


def test_runners_that_disappear_at_the_same_written_frame_end_no_job_and_use_up_no_attempt():
    job = a_running_job()
    for number in range(2 * moves.MAX_ATTEMPTS):
        job = moves.claimed(job, f"r{number}", NOW)

    assert (job.status, job.deaths_without_checkpoint) == (JobStatus.RUNNING, 0)


def test_release_is_no_death():
    job = a_running_job()
    for _ in range(5):
        job = moves.claimed(moves.released(job, 3, NOW), "r1", NOW)

    assert (job.status, job.attempt, job.deaths_without_checkpoint) == (JobStatus.RUNNING, 6, 0)


def test_twenty_attempts_are_the_limit():
    job = a_running_job()
    for _ in range(moves.MAX_ATTEMPTS - 1):
        job = moves.claimed(moves.released(job, 0, NOW), "r1", NOW)
    assert job.attempt == 20

    job = moves.claimed(moves.released(job, 0, NOW), "r1", NOW)

    assert (job.status, job.error_code) == (JobStatus.FAILED, "ATTEMPTS_EXHAUSTED")


@pytest.mark.parametrize(
    "end",
    [
        lambda job: moves.cancelled(job, NOW),
        lambda job: moves.failed(job, Code.PLUGIN_ERROR, "x", "y", NOW, frame=15),
        lambda job: moves.completed(job, NOW),
        lambda job: moves.cancelled(moves.released(job, 15, NOW), NOW),
        lambda job: moves.failed(moves.orphaned(job, "r1", "it vanished", NOW), Code.PLUGIN_UNAVAILABLE, "x", "y", NOW),
    ],
    ids=["cancelled", "failed", "completed", "cancelled-between-attempts", "failed-after-its-runner-was-lost"],
)
def test_every_count_of_an_ended_job_is_the_number_of_rows_that_can_be_read(end):
    """15 frames were done and 9 rows committed when it ended."""
    committed = ResultSummary(frame_count=9, detection_count=12)
    job = end(moves.progressed(a_running_job(), NOW, end_frame=9, current_frame=15, summary=committed))

    assert (job.current_frame, job.summary, job.attempts[-1].frame) == (9, committed, 9)


def test_a_job_that_ends_before_its_first_row_counts_none():
    claimed = moves.progressed(a_running_job(), NOW, current_frame=3)

    for job in (moves.cancelled(a_job(), NOW), moves.cancelled(claimed, NOW)):
        assert (job.current_frame, job.summary) == (0, ResultSummary())
        assert [attempt.frame for attempt in job.attempts] == [0] * len(job.attempts)


def test_only_the_owner_of_this_attempt_passes_the_fence():
    job = a_running_job()

    moves.require_owner(job, "r1", 1)

    for stranger in (("r2", 1), ("r1", 2)):
        with pytest.raises(moves.Fenced):
            moves.require_owner(job, *stranger)
    with pytest.raises(moves.Fenced):
        moves.require_owner(moves.cancelled(job, NOW), "r1", 1)


def test_newest_50_warnings_are_kept_and_cut_at_500_characters():
    job = moves.warned(a_job(), [JobWarning(text=f"{n} " + "x" * 600) for n in range(60)])

    assert len(job.warnings) == 50
    assert job.warnings[0].text.startswith("10 ")
    assert max(len(warning.text) for warning in job.warnings) == 500
    assert job.warnings_dropped == 10
    assert moves.warned(job, [JobWarning(text="one more")]).warnings_dropped == 11


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Segmentation fault\n", "Segmentation fault"),
        ("\x1b[31mred\x1b[0m\r50 %\r100 %\x00\n", "red\n50 %\n100 %"),
        ("é" * 2000, "é" * 1024),
        ("x" + "é" * 1500 + "y", "é" * 1023 + "y"),
        ("\n", None),
        ("", None),
    ],
    ids=["plain", "terminal", "long", "cut inside a character", "blank", "nothing"],
)
def test_the_end_of_what_a_sandbox_wrote_is_kept_as_plain_text(said, kept):
    job = moves.died(moves.with_log_tail(a_running_job(), said), AttemptOutcome.CRASHED, 3, "it died", NOW)

    assert job.attempts[-1].log_tail == kept
    assert job.attempts[-1].outcome is AttemptOutcome.CRASHED


def test_a_log_tail_is_kept_by_no_attempt_that_is_closed_already():
    closed = moves.released(a_running_job(), 3, NOW)
    ended = moves.cancelled(a_running_job(), NOW)

    assert moves.with_log_tail(closed, "late") == closed
    assert moves.with_log_tail(ended, "late") == ended

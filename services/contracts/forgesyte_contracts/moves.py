"""How a record may change: the table of legal moves and one pure function for each event in a job's life.

Every function takes the current record and the moment and returns the new record; chassis.bus applies it by
compare-and-set. An illegal move raises an error that names both states.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from .blame import UNKNOWN, Circumstances, Fault, clears, frame_reached, judge
from .jobs import (
    MAX_ATTEMPTS_KEPT,
    MAX_LOG_TAIL_BYTES,
    MAX_WARNINGS,
    AttemptEntry,
    AttemptOutcome,
    JobRecord,
    JobStatus,
    RowRange,
)
from .problems import Code, ForgeSyteError
from .progress import MOST_WHILE_RUNNING, never_falling
from .results import ResultSummary
from .warnings import JobWarning, Severity

MAX_ATTEMPTS = 20
ATTEMPTS_EXHAUSTED = "AttemptsExhausted"
"""The error type."""
MAX_DEATHS_AT_FRAME = 2
MAX_DEATHS_WITHOUT_CHECKPOINT = 3

_UNPRINTABLE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
"""Colours of a terminal, and control characters that are neither a tab nor the end of a line."""

LEGAL_MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset({JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}

DEATH_CODES: dict[AttemptOutcome, Code] = {
    AttemptOutcome.TIMEOUT: Code.PLUGIN_TIMEOUT,
    AttemptOutcome.OOM: Code.PLUGIN_OOM,
    AttemptOutcome.CRASHED: Code.PLUGIN_CRASH,
}


class IllegalJobMove(ForgeSyteError):
    """The record may not make this move; usually because the job has already ended."""


class Fenced(ForgeSyteError):
    """The writer no longer owns the job: another attempt does, or the job has ended."""


def _moved(record: JobRecord, to: JobStatus, now: datetime, **changes: object) -> JobRecord:
    if to not in LEGAL_MOVES[record.status]:
        code = Code.JOB_FINISHED if record.is_terminal else Code.INTERNAL
        raise IllegalJobMove(
            code, f"job {record.job_id} is {record.status} and cannot become {to}", job_id=record.job_id
        )
    return record.model_copy(update={"status": to, "updated_at": now, **changes})


def require_owner(record: JobRecord, runner_id: str, attempt: int) -> None:
    """Check that this attempt of this runner still owns the running job.

    Raises:
        Fenced: another runner or another attempt owns it, or it has ended.
    """
    if record.is_terminal or (record.owner, record.attempt) != (runner_id, attempt):
        raise Fenced(
            Code.INTERNAL,
            f"attempt {attempt} of {runner_id} no longer owns job {record.job_id}: it is {record.status}, "
            f"attempt {record.attempt} of {record.owner}",
            job_id=record.job_id,
        )


def _ended(record: JobRecord, to: JobStatus, now: datetime, **changes: object) -> JobRecord:
    """End the job: every count of it is from now on the number of rows that can be read.

    While it ran, `current_frame` was ahead of the committed rows, and an attempt knew the frame at which it ended.
    """
    summary = record.summary or ResultSummary()
    attempts = record.attempts
    if attempts:
        attempts = (*attempts[:-1], attempts[-1].model_copy(update={"frame": summary.frame_count}))
    counts = {"summary": summary, "current_frame": summary.frame_count, "attempts": attempts}
    return _moved(record, to, now, completed_at=now, owner=None, **counts, **changes)


def _attempt_ended(record: JobRecord, outcome: AttemptOutcome, frame: int | None, now: datetime) -> JobRecord:
    if not record.attempts or record.attempts[-1].outcome is not None:
        return record
    last = record.attempts[-1].model_copy(update={"ended_at": now, "outcome": outcome, "frame": frame})
    return record.model_copy(update={"attempts": (*record.attempts[:-1], last), "owner": None})


def claimed(record: JobRecord, runner_id: str, now: datetime, circumstances: Circumstances = UNKNOWN) -> JobRecord:
    """Set the owner and start attempt + 1; an attempt that is still open is closed as orphaned() does first.

    The new attempt starts at frame 0 and counts from zero; `progress` never falls, so it is kept.
    Return a failed record instead of a claimed one when the job has been tried too often or is to blame.

    Args:
        circumstances: of the claimer, now.
    """
    if record.is_terminal:
        return _moved(record, JobStatus.RUNNING, now)
    if record.owner is not None:
        record = orphaned(record, record.owner, "its runner disappeared", now, circumstances)
        if record.is_terminal:
            return record
    number = record.attempt + 1
    if number - record.attempts_spared > MAX_ATTEMPTS:
        return failed(
            record,
            Code.ATTEMPTS_EXHAUSTED,
            ATTEMPTS_EXHAUSTED,
            f"The job was tried {MAX_ATTEMPTS} times without finishing. Check its attempts, then submit it again.",
            now,
        )
    attempt = AttemptEntry(
        number=number,
        runner_id=runner_id,
        started_at=now,
        alone=circumstances.alone,
        boot_id=circumstances.boot_id,
        oom_kills=circumstances.oom_kills,
        has_control=circumstances.has_control,
    )
    return _moved(
        record,
        JobStatus.RUNNING,
        now,
        owner=runner_id,
        attempt=number,
        attempts=(*record.attempts, attempt)[-MAX_ATTEMPTS_KEPT:],
        order=f"{number}.0",
        started_at=record.started_at or now,
        progress=record.progress or 0,
        current_frame=0,
        summary=None,
        rows=(),
    )


def under_policy(record: JobRecord, word: str | None) -> JobRecord:
    """Note how the sandbox of the attempt that was just claimed is held back, in one word; None changes nothing."""
    if word is None or record.is_terminal or not record.attempts:
        return record
    last = record.attempts[-1].model_copy(update={"policy": word})
    return record.model_copy(update={"attempts": (*record.attempts[:-1], last)})


def with_log_tail(record: JobRecord, text: str) -> JobRecord:
    """Note what the sandbox of the attempt that is about to end wrote last: its newest 2 KB, as plain text.

    An attempt that is closed already keeps what it has, and empty text changes nothing.
    """
    said = _UNPRINTABLE.sub("", text.replace("\r", "\n")).strip("\n").encode(errors="replace")
    if not said or record.is_terminal or not record.attempts or record.attempts[-1].outcome is not None:
        return record
    tail = said[-MAX_LOG_TAIL_BYTES:].decode(errors="ignore")
    last = record.attempts[-1].model_copy(update={"log_tail": tail})
    return record.model_copy(update={"attempts": (*record.attempts[:-1], last)})


def progressed(record: JobRecord, now: datetime, *, end_frame: int | None = None, **changes: object) -> JobRecord:
    """Record progress; rows of frames below `end_frame` are committed, which counts as a checkpoint.

    Rows beyond all its faults clear a suspect: its attempt is no longer alone, and its runner may take other jobs.
    """
    if end_frame is not None:
        changes["rows"] = (RowRange(attempt=record.attempt, first_frame=0, end_frame=end_frame),)
        if clears(record, end_frame):
            record = _cleared(record)
        if end_frame > record.best_frame:
            changes |= {"best_frame": end_frame, "deaths_without_checkpoint": 0, "spared_alone": 0}
    percent = changes.get("progress")
    if isinstance(percent, int):
        changes["progress"] = never_falling(record.progress, min(percent, MOST_WHILE_RUNNING))
    return _moved(record, JobStatus.RUNNING, now, **changes)


def died(record: JobRecord, outcome: AttemptOutcome, frame: int | None, what: str, now: datetime) -> JobRecord:
    """Close the attempt with a death, and end the job if it has died too often.

    Args:
        outcome: timeout, oom or crashed.
        frame: the frame at which it died, 0-based.
        what: what happened, as a clause without a full stop.
    """
    record = _attempt_ended(record, outcome, frame, now)
    deaths = record.deaths_without_checkpoint + 1
    record = _moved(record, JobStatus.RUNNING, now, deaths_without_checkpoint=deaths)
    same = [attempt for attempt in record.attempts if attempt.outcome in DEATH_CODES and attempt.frame == frame]
    if len(same) >= MAX_DEATHS_AT_FRAME and frame not in record.skip_frames:
        if not (record.skip_bad_frames and frame is not None):
            where = "Before the first frame" if frame is None else f"At frame {frame}"
            text = f"{where}, {what}; this happened {len(same)} times."
            advice = " Submit it with skip_bad_frames to continue after that frame, or fix the plugin."
            return failed(record, DEATH_CODES[outcome], outcome.value, text + advice, now, frame=frame)
        text = f"frame {frame} was skipped: {what}, {len(same)} times"
        skipped = warned(record, [JobWarning(text=text, frame_index=frame, severity=Severity.HIGH)])
        return skipped.model_copy(update={"skip_frames": (*record.skip_frames, frame), "deaths_without_checkpoint": 0})
    if deaths >= MAX_DEATHS_WITHOUT_CHECKPOINT:
        text = f"The job failed {deaths} times in a row without making progress; the last time, {what}."
        return failed(record, DEATH_CODES[outcome], outcome.value, text + " See its attempts.", now, frame=frame)
    return record


def faulted(record: JobRecord, fault: Fault, now: datetime) -> JobRecord:
    """Close the attempt because what ran its sandbox died, and end the job if blame.py finds that it is to blame.

    `surroundings` when nothing is proven: no death, and no attempt is used up. `lost` when the job was alone: it uses
    up an attempt, and only the rule of blame.py counts it. The caller tells the plugin's own count of crashes about a
    job that ends here with PLUGIN_CRASH; with ATTEMPTS_EXHAUSTED it is not known what it died of.
    """
    judgement = judge(record, fault)
    frame = record.current_frame if fault.frame is None else fault.frame
    record = _attempt_ended(record, judgement.outcome, frame, now)
    is_spared = judgement.outcome is AttemptOutcome.SURROUNDINGS
    record = _moved(
        record,
        JobStatus.RUNNING,
        now,
        suspicion=judgement.suspicion,
        alone_faults=judgement.alone_faults,
        attempts_spared=record.attempts_spared + is_spared,
        spared_alone=judgement.spared_alone,
    )
    if judgement.reason is None:
        return record
    kind = AttemptOutcome.CRASHED.value if judgement.code is Code.PLUGIN_CRASH else ATTEMPTS_EXHAUSTED
    return failed(record, judgement.code, kind, judgement.reason, now, frame=frame)


def orphaned(
    record: JobRecord, runner_id: str, what: str, now: datetime, circumstances: Circumstances = UNKNOWN
) -> JobRecord:
    """Close the attempt of a runner that died while it owned the job, or was killed because it had stalled.

    A job that this runner does not own, or that has ended, is returned unchanged. For a runner that was ended on
    purpose (a stop, a drain that took too long) use released().

    Args:
        what: what happened to the runner, as a clause without a full stop.
        circumstances: of who found out, now; without its machine's boot and count nothing is held against the job.
    """
    if record.is_terminal or record.owner != runner_id or not record.attempts:
        return record
    attempt = record.attempts[-1]
    fault = Fault(
        what=what,
        frame=frame_reached(record),
        is_witnessed=circumstances.witnesses(attempt),
        was_alone=attempt.alone,
        has_control=attempt.has_control or circumstances.has_control,
        is_shared=circumstances.is_shared,
    )
    return faulted(record, fault, now)


def _cleared(record: JobRecord) -> JobRecord:
    attempts = (*record.attempts[:-1], record.attempts[-1].model_copy(update={"alone": False}))
    return record.model_copy(update={"suspicion": 0, "alone_faults": (), "spared_alone": 0, "attempts": attempts})


def released(record: JobRecord, frame: int | None, now: datetime) -> JobRecord:
    """Close the attempt without blame (drain, hand-over, loss of the bus); the job stays running without an owner."""
    record = _attempt_ended(record, AttemptOutcome.RELEASED, frame, now)
    return _moved(record, JobStatus.RUNNING, now)


def completed(record: JobRecord, now: datetime, **changes: object) -> JobRecord:
    """End the job successfully: progress 100, all tools completed, nothing held against it."""
    record = _attempt_ended(record.model_copy(update=changes), AttemptOutcome.SUCCEEDED, None, now)
    unblamed = {"suspicion": 0, "alone_faults": (), "spared_alone": 0}
    return _ended(record, JobStatus.COMPLETED, now, progress=100, tools_completed=len(record.tools), **unblamed)


def failed(
    record: JobRecord, code: Code, error_type: str, message: str, now: datetime, *, frame: int | None = None
) -> JobRecord:
    """End the job as failed, because of its frame `frame` (0-based; None when no frame caused it)."""
    record = _attempt_ended(record, AttemptOutcome.FAILED, frame, now)
    return _ended(
        record,
        JobStatus.FAILED,
        now,
        error_code=code.value,
        error_type=error_type,
        error_message=message[:2000],
        error_frame=frame,
    )


def cancelled(record: JobRecord, now: datetime) -> JobRecord:
    """End the job on request."""
    record = _attempt_ended(record, AttemptOutcome.CANCELLED, record.current_frame, now)
    return _ended(
        record,
        JobStatus.CANCELLED,
        now,
        error_code=Code.CANCELLED.value,
        error_type="cancelled",
        error_message="The job was cancelled on request.",
    )


def warned(record: JobRecord, warnings: Iterable[JobWarning]) -> JobRecord:
    """Append warnings; the newest MAX_WARNINGS are kept and `warnings_dropped` counts the older ones."""
    all_warnings = (*record.warnings, *(warning.cut() for warning in warnings))
    dropped = record.warnings_dropped + max(len(all_warnings) - MAX_WARNINGS, 0)
    return record.model_copy(update={"warnings": all_warnings[-MAX_WARNINGS:], "warnings_dropped": dropped})

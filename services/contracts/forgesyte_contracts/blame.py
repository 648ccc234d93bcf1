"""Which job is to blame when what ran its sandbox died: the zygote, the runner, the machine.

Such a fault hits every job beside the guilty one, and an operator, a power loss or the kernel's memory killer cause it
as well. So a fault counts only when a process of the same boot saw it and no memory killer was at work (the witness).
It makes suspects of the jobs that ran there; a suspect runs alone from then on, and only a fault that it meets alone
counts against it: the same frame twice ends it. Before the first row, where every start looks alike, and when frames
differ, the machine must also have been calm in between (the control): a crash loop ends no job.

A fault without a witness, or one that hit other runners too, proves nothing, and a job can cause such faults each time
(its memory). So it makes suspects as well, and a suspect that it hits alone waits until the machine has been calm for
twice as long as such attempts lasted. More than MOST_SPARED in a row, each after such a wait, end the job: a machine
that fails by itself would have failed during most of the waits, and then the count begins again.

Pure: it judges records by facts that others read. moves.py writes the judgement into the record.
Rejected: counting every fault as a death (a healthy job ends because of its neighbour); ending the job that was at the
fault most often (two jobs that start together cannot be told apart).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from .jobs import AttemptEntry, AttemptOutcome, JobRecord
from .problems import Code

BEFORE_FIRST_ROW: Final = -1
SAME_FRAME_FAULTS: Final = 2
MAX_ALONE_FAULTS: Final = 5
CONTROL_S: Final = 10.0
"""Seconds without a fault that show that the machine is well."""

MOST_SPARED: Final = 10
MAX_CONTROL_S: Final = 600.0
PATIENCE_S: Final = 30.0
"""After its wait and this, a job that was only ever spared starts without a control; a fault is then not counted."""

LONG_REST_S: Final = 60.0
"""A rest that grows with each fault that had no control grows up to this."""

TURN_S: Final = 30.0
"""A suspect that nothing has taken for this long holds up no other: its plugin may have failed, or none offers it."""

_HIT = (AttemptOutcome.SURROUNDINGS, AttemptOutcome.LOST)
_ADVICE = "A plugin may signal, trace or stop no process but its own. Fix the plugin, then submit the job again."


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The machine and the runner when a job is claimed, or when its owner is found dead.

    Attributes:
        boot_id: of the machine, new at each boot; None when it could not be read.
        oom_kills: how many processes its kernel has killed for want of memory since it booted; None when unknown.
        alone: whether the job has the runner to itself: nothing runs beside it until it ends or is cleared.
        has_control: whether the machine was calm since the job's last fault, as has_control() says.
        is_shared: whether other runners of the machine died at the same time as the owner.
    """

    boot_id: str | None = None
    oom_kills: int | None = None
    alone: bool = False
    has_control: bool = False
    is_shared: bool = False

    def witnesses(self, attempt: AttemptEntry) -> bool:
        """Whether a fault under this attempt, found now, was no fault of the machine: same boot, no memory killer."""
        if self.boot_id is None or self.oom_kills is None:
            return False
        return (self.boot_id, self.oom_kills) == (attempt.boot_id, attempt.oom_kills)


UNKNOWN: Final = Circumstances()
"""Circumstances that witness nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What ran a job's sandbox died or was killed because it stalled. What we ended on purpose is no fault.

    Attributes:
        what: what happened, as a clause without a full stop.
        frame: the frame the job was at, 0-based; None before the first.
        is_witnessed: whether it is certain that neither the machine nor its memory killer did it.
        was_alone: whether no other job ran there.
        has_control: whether the machine was calm since the job's last fault.
        is_shared: whether it hit other runners as well.
    """

    what: str
    frame: int | None
    is_witnessed: bool
    was_alone: bool
    has_control: bool = False
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a fault means for one job; `reason` and `code` say why it ends, `reason` is None while it may continue."""

    outcome: AttemptOutcome
    suspicion: int
    alone_faults: tuple[int, ...]
    spared_alone: int
    reason: str | None = None
    code: Code = Code.PLUGIN_CRASH


def judge(record: JobRecord, fault: Fault) -> Judgement:
    """Return what a fault under this job means for it."""
    if not fault.was_alone:
        return Judgement(AttemptOutcome.SURROUNDINGS, record.suspicion + 1, record.alone_faults, record.spared_alone)
    if fault.is_shared or not fault.is_witnessed:
        return _spared(record, fault)
    frame = fault.frame or BEFORE_FIRST_ROW  # at frame 0 there is no row yet either
    faults = (*record.alone_faults, frame)[-MAX_ALONE_FAULTS:]
    return Judgement(AttemptOutcome.LOST, record.suspicion, faults, spared_alone=0, reason=_reason(faults, fault))


def _spared(record: JobRecord, fault: Fault) -> Judgement:
    """Judge a fault that proves nothing by itself. Each without a control begins the count again."""
    spared = record.spared_alone + 1 if fault.has_control else 1
    judgement = Judgement(AttemptOutcome.SURROUNDINGS, record.suspicion, record.alone_faults, spared)
    if spared <= MOST_SPARED:
        return judgement
    text = (
        f"{spared} times in a row, {fault.what} while the job ran alone and made no progress, and the machine was calm "
        "in between. The kernel's memory killer or something else outside the job may have done it, but only this job "
        "meets it. Check the memory limits of the machine and of the container, and the attempts of the job; then "
        "submit it again."
    )
    return replace(judgement, reason=text, code=Code.ATTEMPTS_EXHAUSTED)


def _reason(faults: tuple[int, ...], fault: Fault) -> str | None:
    frame = faults[-1]
    same = faults.count(frame)
    is_before = frame == BEFORE_FIRST_ROW
    if same >= SAME_FRAME_FAULTS and (fault.has_control or not is_before):
        where = "Before the first row" if is_before else f"At frame {frame}"
        return f"{where}, {fault.what} while only this job ran there; this happened {same} times. {_ADVICE}"
    if len(faults) >= MAX_ALONE_FAULTS and fault.has_control:
        places = ", ".join("none" if each == BEFORE_FIRST_ROW else str(each) for each in faults)
        text = f"{len(faults)} times, {fault.what} while only this job ran there, at the frames {places}."
        return f"{text} {_ADVICE}"
    return None


def frame_reached(record: JobRecord) -> int | None:
    """Return the frame that a job whose runner died is known to have reached, for a Fault.

    Before the first committed rows only the start of the attempt is written, which is the same in every attempt.
    """
    return record.current_frame if record.rows else None


def clears(record: JobRecord, end_frame: int) -> bool:
    """Whether rows committed below `end_frame` show that the job got past all its faults."""
    hit = [attempt.frame or 0 for attempt in record.attempts if attempt.outcome in _HIT]
    is_beyond = end_frame - 1 > max([*hit, *record.alone_faults], default=BEFORE_FIRST_ROW)
    return record.is_suspect and is_beyond and end_frame > record.best_frame


def needs_control(record: JobRecord) -> bool:
    """Whether the next fault of this job proves nothing unless the machine is known to be calm.

    Such a job is not started before that is known: a guilty one would use up its attempts, and prove nothing.
    """
    return record.spared_alone > 0 or _proves_nothing_yet(record)


def _proves_nothing_yet(record: JobRecord) -> bool:
    return BEFORE_FIRST_ROW in record.alone_faults or len(record.alone_faults) >= MAX_ALONE_FAULTS - 1


def seconds_to_wait(record: JobRecord, now: datetime, *, is_controlled: bool) -> float:
    """Return for how many seconds this suspect is not started yet, because its next fault would prove nothing.

    Args:
        record: the job.
        now: the moment.
        is_controlled: what has_control() returned.
    """
    if not needs_control(record):
        return 0.0
    rest_s = _rest_s(record) - seconds_since_fault(record, now)
    if is_controlled:
        return max(rest_s, 0.0) if record.spared_alone else 0.0
    if rest_s < -PATIENCE_S and not _proves_nothing_yet(record):
        return 0.0
    return max(rest_s, 1.0)


def side_by_side(suspects: Sequence[JobRecord], now: datetime) -> list[JobRecord]:
    """Return which of these suspects may run at the same time, each in a runner of its own; the order stays.

    Of those that have met a fault alone it is one: a plugin can kill the zygotes of other runners as well, and two such
    faults at the same frame would end the job beside it. One that runs is never put back; those that still wait for
    their control, or that nothing takes, hold up no other.
    """

    def rank(record: JobRecord) -> tuple[bool, bool, int, datetime]:
        return record.owner is None, needs_control(record), record.spared_alone, record.created_at

    late = {each.job_id for each in suspects if each.owner is None and seconds_since_fault(each, now) >= TURN_S}
    turn = min((each for each in suspects if was_hit_alone(each) and each.job_id not in late), key=rank, default=None)
    is_free = turn is None or turn.owner is None
    return [each for each in suspects if not was_hit_alone(each) or each is turn or (is_free and each.job_id in late)]


def was_hit_alone(record: JobRecord) -> bool:
    """Whether the job has met a fault alone and has not got past it, counted or not."""
    return bool(record.alone_faults) or record.spared_alone > 0


def control_s(record: JobRecord) -> float:
    """Return for how many seconds the machine must be calm before the job's next attempt.

    After faults that proved nothing it is twice as long as the longest of those attempts lasted, at most MAX_CONTROL_S:
    a machine that fails by itself every now and then is hardly ever calm for that long just before each of them.
    Rejected: twice the last one; a short attempt that begins when the next fault is near makes the next wait short too.
    """
    if not record.spared_alone:
        return CONTROL_S
    lasted = [each.ended_at - each.started_at for each in _spared_alone(record) if each.ended_at]
    return min(max([CONTROL_S, *(2 * each.total_seconds() for each in lasted)]), MAX_CONTROL_S)


def _spared_alone(record: JobRecord) -> list[AttemptEntry]:
    return [each for each in record.attempts if each.outcome is AttemptOutcome.SURROUNDINGS and each.alone]


def _rest_s(record: JobRecord) -> float:
    """Return how long after its last fault the job starts at the earliest.

    It grows with each fault without a control: of two such jobs on one runner each disturbs the calm of the other.
    """
    needed_s = control_s(record)
    blind = sum(not each.has_control for each in _spared_alone(record))
    if not record.spared_alone or blind <= 1:  # the first has none: nothing was known of the job before
        return needed_s
    return max(needed_s, min(needed_s * float(1 << (blind - 1)), LONG_REST_S))


def has_control(record: JobRecord, calm: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether the machine is known to have been calm for control_s() since the job's last fault.

    Args:
        record: the job.
        calm: for each runner of this machine, since when it has run without a fault, and until when that is known.
    """
    last = _last_fault_at(record)
    return any((until - max(since, last)).total_seconds() >= control_s(record) for since, until in calm)


def seconds_since_fault(record: JobRecord, now: datetime) -> float:
    """Return the seconds since the job's last fault, or since its submit."""
    return (now - _last_fault_at(record)).total_seconds()


def _last_fault_at(record: JobRecord) -> datetime:
    ends = [attempt.ended_at for attempt in record.attempts if attempt.outcome in _HIT and attempt.ended_at]
    return max(ends, default=record.created_at)

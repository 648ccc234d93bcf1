"""Which job is to blame when what ran its sandbox died: the zygote, the runner, the machine.

Such a fault hits every job beside the guilty one, and an operator, a power loss or the kernel's memory killer cause it
as well. So a fault counts only when a process of the same boot saw it and no memory killer was at work (the witness).
It makes suspects of the jobs that ran there; a suspect runs alone from then on, and only a fault that it meets alone
counts against it: the same frame twice ends it. Before the first row, where every start looks alike, or when the frames
differ, the machine must also have been calm in between (the control): a crash loop of the machine ends no job.

Pure: it judges records by facts that others read. moves.py writes the judgement into the record.
Rejected: counting every fault as a death (a healthy job ends because of its neighbour); ending the job that was at the
fault most often (two jobs that start together cannot be told apart).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .jobs import AttemptEntry, AttemptOutcome, JobRecord

BEFORE_FIRST_ROW: Final = -1
SAME_FRAME_FAULTS: Final = 2
MAX_ALONE_FAULTS: Final = 5
CONTROL_S: Final = 10.0
"""Seconds without a fault that show that the machine is well."""

_HIT = (AttemptOutcome.SURROUNDINGS, AttemptOutcome.LOST)
_ADVICE = "A plugin may signal, trace or stop no process but its own. Fix the plugin, then submit the job again."


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The machine and the runner when a job is claimed, or when its owner is found dead.

    Attributes:
        boot_id: of the machine, new at each boot; None when it could not be read.
        oom_kills: how many processes its kernel has killed for want of memory since it booted; None when unknown.
        alone: whether the job has the runner to itself: nothing runs beside it until it ends or is cleared.
        has_control: whether the machine was calm for CONTROL_S since the job's last fault, as has_control() says.
    """

    boot_id: str | None = None
    oom_kills: int | None = None
    alone: bool = False
    has_control: bool = False

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
    """

    what: str
    frame: int | None
    is_witnessed: bool
    was_alone: bool
    has_control: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a fault means for one job; `reason` is why it ends, None while it may continue."""

    outcome: AttemptOutcome
    suspicion: int
    alone_faults: tuple[int, ...]
    reason: str | None = None


def judge(record: JobRecord, fault: Fault) -> Judgement:
    """Return what a fault under this job means for it."""
    if not fault.is_witnessed:
        return Judgement(AttemptOutcome.SURROUNDINGS, record.suspicion, record.alone_faults)
    if not fault.was_alone:
        return Judgement(AttemptOutcome.SURROUNDINGS, record.suspicion + 1, record.alone_faults)
    frame = fault.frame or BEFORE_FIRST_ROW  # at frame 0 there is no row yet either
    faults = (*record.alone_faults, frame)[-MAX_ALONE_FAULTS:]
    return Judgement(AttemptOutcome.LOST, record.suspicion, faults, _reason(faults, fault))


def _reason(faults: tuple[int, ...], fault: Fault) -> str | None:
    frame = faults[-1]
    same = faults.count(frame)
    if same >= SAME_FRAME_FAULTS and (frame != BEFORE_FIRST_ROW or fault.has_control):
        where = "Before the first row" if frame == BEFORE_FIRST_ROW else f"At frame {frame}"
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
    return BEFORE_FIRST_ROW in record.alone_faults or len(record.alone_faults) >= MAX_ALONE_FAULTS - 1


def side_by_side(suspects: Sequence[JobRecord]) -> list[JobRecord]:
    """Return which of these suspects may run at the same time, each in a runner of its own; the order stays.

    Of those that have met a fault alone it is one: a plugin can kill the zygotes of other runners as well, and two such
    faults at the same frame would end the job beside it. One that runs is never put back; those that still wait for
    their control hold up no other.
    """
    hit = [record for record in suspects if record.alone_faults]
    turn = min(hit, key=lambda each: (each.owner is None, needs_control(each), each.created_at), default=None)
    return [record for record in suspects if not record.alone_faults or record is turn]


def has_control(record: JobRecord, calm: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether the machine is known to have been calm for CONTROL_S since the job's last fault.

    Args:
        record: the job.
        calm: for each runner of this machine, since when it has run without a fault, and until when that is known.
    """
    last = _last_fault_at(record)
    return any((until - max(since, last)).total_seconds() >= CONTROL_S for since, until in calm)


def seconds_since_fault(record: JobRecord, now: datetime) -> float:
    """Return the seconds since the job's last fault, or since its submit."""
    return (now - _last_fault_at(record)).total_seconds()


def _last_fault_at(record: JobRecord) -> datetime:
    ends = [attempt.ended_at for attempt in record.attempts if attempt.outcome in _HIT and attempt.ended_at]
    return max(ends, default=record.created_at)

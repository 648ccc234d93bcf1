"""The claim rule: what a runner does with a delivery before it may touch the job.

A delivery is not a claim: the queue redelivers a message after any pause longer than ack_wait, even while its owner is
alive and well. So the runner first checks the record and the owner's heartbeat, and only the compare-and-set that
writes owner and attempt + 1 makes an attempt. Write first, acknowledge afterwards.

An attempt that a dead owner left open is closed first, by the rule of contracts/blame.py; the job may be a suspect
then, and the runner says whether it takes it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from forgesyte_chassis.clock import SYSTEM_CLOCK, Clock
from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts import moves
from forgesyte_contracts.blame import UNKNOWN, Circumstances
from forgesyte_contracts.ids import JobId, RunnerId
from forgesyte_contracts.jobs import JobRecord, JobStatus

from .bus import Bus
from .queue.work import Delivery
from .records.records import Stored

NAK_DELAY_S = 3.0
ABSENT_WAIT_S = 2.0

Reason = Literal[
    "absent",
    "finished",
    "winding down",
    "owner lives",
    "just reconnected",
    "taken",
    "exhausted",
    "suspect",
    "no suspect",
    "no control",
    "held",
]


@dataclass(frozen=True, slots=True)
class Claimed:
    """This runner owns the job, with a new attempt; it must keep the delivery alive and acknowledge it at the end."""

    stored: Stored


@dataclass(frozen=True, slots=True)
class Adopted:
    """The job already runs in this very runner: continue it, and use this delivery from now on."""

    stored: Stored


@dataclass(frozen=True, slots=True)
class Refused:
    """The job is not for this runner; the delivery has been answered. `stored` is the record, if one was read.

    "exhausted": the claim ended the job, after too many attempts or because it is to blame. "winding down": an attempt
    that lost the job has not left this runner yet. The last four are those of a runner that did not admit it.
    """

    reason: Reason
    stored: Stored | None = None


Claim = Claimed | Adopted | Refused


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The runner does not admit the job now; it is offered again after `delay_s`, which counts as nothing."""

    reason: Literal["suspect", "no suspect", "no control", "held"]
    delay_s: float


Admit = Callable[[JobRecord], Awaitable[Circumstances | Elsewhere]]
"""Decides whether the runner takes a job, as its record stands before the claim, and in which circumstances."""


async def admit_all(_record: JobRecord) -> Circumstances:
    """Admit any job beside any other."""
    return circumstances_here()


class _Taken(Exception):
    """Another runner claimed the job between this runner's read and its write."""


async def claim(
    bus: Bus,
    delivery: Delivery,
    runner_id: RunnerId,
    *,
    running_here: Callable[[JobId], bool],
    admit: Admit = admit_all,
    clock: Clock = SYSTEM_CLOCK,
    absent_wait_s: float = ABSENT_WAIT_S,
    policy: str | None = None,
) -> Claim:
    """Decide about a delivery, and claim its job if the rule allows it.

    Args:
        bus: the bus.
        delivery: what was pulled; when the result is Refused, it is already acknowledged or returned to the queue.
        runner_id: the id of this process of the runner.
        running_here: returns whether the job runs in this process right now.
        admit: asked last of all whether this runner takes the job.
        clock: the source of the record's timestamps.
        absent_wait_s: how long a missing record may take to appear, in seconds.
        policy: how the sandboxes of this runner are held back, in one word.

    Raises:
        BusUnavailable: undecided; leave the delivery alone, it will be redelivered.
    """
    stored = await bus.jobs.get(delivery.job_id)
    if stored is None:
        await asyncio.sleep(absent_wait_s)
        stored = await bus.jobs.get(delivery.job_id)
    if stored is None:
        return await _acked(delivery, "absent", None)
    if stored.record.is_terminal:
        return await _acked(delivery, "finished", stored)
    if running_here(delivery.job_id):
        if stored.record.owner == runner_id:
            return Adopted(stored)
        delivery.nak_later(NAK_DELAY_S)
        return Refused("winding down", stored)
    if (reason := await _may_not_take(bus, stored.record, runner_id)) is not None:
        delivery.nak_later(NAK_DELAY_S)
        return Refused(reason, stored)
    return await _take(bus, delivery, runner_id, stored, admit=admit, clock=clock, policy=policy)


async def _may_not_take(bus: Bus, record: JobRecord, runner_id: RunnerId) -> Reason | None:
    if record.status is not JobStatus.RUNNING or record.owner in (None, runner_id):
        return None
    if bus.usable_for_s < bus.ack_wait_s:
        # After an outage every heartbeat is old; give the owner time to show that it is alive.
        return "just reconnected"
    return "owner lives" if await bus.runners.alive(record.owner or "") else None


async def _take(
    bus: Bus,
    delivery: Delivery,
    runner_id: RunnerId,
    seen: Stored,
    *,
    admit: Admit,
    clock: Clock,
    policy: str | None,
) -> Claim:
    judged = (seen.record.owner, seen.record.attempt)
    expected = _closed(seen.record, runner_id, clock)
    answer = UNKNOWN if expected.is_terminal else await admit(expected)

    def take(record: JobRecord) -> JobRecord:
        if record.is_terminal or (record.owner, record.attempt) != judged:
            raise _Taken
        record = _closed(record, runner_id, clock)
        if record.is_terminal or isinstance(answer, Elsewhere):
            return record
        return moves.under_policy(moves.claimed(record, runner_id, clock.now(), answer), policy)

    try:
        stored = await bus.jobs.change(delivery.job_id, take, known=seen)
    except _Taken:
        delivery.nak_later(NAK_DELAY_S)
        return Refused("taken")
    if stored.record.is_terminal:
        return await _acked(delivery, "exhausted", stored)
    if isinstance(answer, Elsewhere):
        delivery.nak_later(answer.delay_s)
        return Refused(answer.reason, stored)
    return Claimed(stored)


def _closed(record: JobRecord, runner_id: RunnerId, clock: Clock) -> JobRecord:
    """Return the record without the attempt that its owner left open."""
    if record.owner == runner_id:
        # This runner's own earlier claim, whose answer was lost before anything ran: it is not a crash.
        return moves.released(record, None, clock.now())
    if record.owner is None:
        return record
    return moves.orphaned(record, record.owner, "its runner disappeared", clock.now(), circumstances_here())


async def _acked(delivery: Delivery, reason: Reason, stored: Stored | None) -> Refused:
    await delivery.ack()
    return Refused(reason, stored)

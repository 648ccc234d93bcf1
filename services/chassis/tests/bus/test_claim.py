import asyncio

import pytest

from forgesyte_chassis.bus import Adopted, Claimed, Elsewhere, Refused, claim
from forgesyte_chassis.machine import circumstances_here
from forgesyte_contracts import moves
from forgesyte_contracts.ids import RunnerId
from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from tests.support import eventually

from .conftest import NOW

PLUGIN, DEVICE = "motion-detector", "cpu"
ONE, TWO = RunnerId("runner-1"), RunnerId("runner-2")
SHORT_ACK_WAIT_S = 0.5


def nowhere(_job_id):
    return False


def here(_job_id):
    return True


async def pulled(bus):
    return await eventually(lambda: bus.work.pull(PLUGIN, DEVICE), what="a delivery")


async def a_queued_job(bus, record):
    stored = await bus.jobs.create(record)
    await bus.work.publish(record.job_id, PLUGIN, DEVICE)
    return stored


async def connected_long_enough(bus):
    await eventually(lambda: bus.usable_for_s >= bus.ack_wait_s)


async def test_pending_job_is_claimed_with_attempt_one(bus, a_record):
    stored = await a_queued_job(bus, a_record())

    claimed = await claim(bus, await pulled(bus), ONE, running_here=nowhere, policy="walled")

    assert isinstance(claimed, Claimed)
    assert claimed.stored == await bus.jobs.get(stored.record.job_id)
    record = claimed.stored.record
    assert (record.status, record.owner, record.attempt) == (JobStatus.RUNNING, ONE, 1)
    assert [attempt.policy for attempt in record.attempts] == ["walled"]


@pytest.mark.slow
async def test_of_two_claims_of_one_job_only_one_wins(connect, a_record, a_heartbeat):
    """Two deliveries of one message: the first runner was silent for longer than ack_wait."""
    one, two = await connect(ack_wait_s=SHORT_ACK_WAIT_S), await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    for runner_id in (ONE, TWO):
        await one.runners.beat(a_heartbeat(runner_id))
    stored = await a_queued_job(one, a_record())
    first, second = await pulled(one), await pulled(two)

    claims = await asyncio.gather(
        claim(one, first, ONE, running_here=nowhere), claim(two, second, TWO, running_here=nowhere)
    )

    assert sorted(type(each).__name__ for each in claims) == ["Claimed", "Refused"]
    record = (await one.jobs.get(stored.record.job_id)).record
    assert (record.attempt, len(record.attempts)) == (1, 1)


async def test_claim_overtaken_between_its_read_and_its_write_is_given_back(bus, a_record):
    stored = await a_queued_job(bus, a_record())
    delivery = await pulled(bus)
    read = bus.jobs.get

    async def read_then_be_overtaken(job_id, **how):
        bus.jobs.get = read
        seen = await read(job_id, **how)
        await bus.jobs.change(job_id, lambda r: moves.claimed(r, TWO, NOW))
        return seen

    bus.jobs.get = read_then_be_overtaken
    refused = await claim(bus, delivery, ONE, running_here=nowhere)

    assert refused == Refused("taken")
    assert (await bus.jobs.get(stored.record.job_id)).record.owner == TWO
    assert await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)


async def test_absent_job_is_acknowledged(bus, a_record):
    record = a_record()
    await bus.work.publish(record.job_id, PLUGIN, DEVICE)

    refused = await claim(bus, await pulled(bus), ONE, running_here=nowhere, absent_wait_s=0)

    assert refused == Refused("absent")
    assert not await bus.work.has(record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_record_that_appears_late_is_claimed(bus, a_record):
    record = a_record()
    await bus.work.publish(record.job_id, PLUGIN, DEVICE)
    delivery = await pulled(bus)

    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(claim(bus, delivery, ONE, running_here=nowhere, absent_wait_s=1.0))
        group.create_task(bus.jobs.create(record))

    assert isinstance(claiming.result(), Claimed)


async def test_finished_job_is_acknowledged(bus, a_record):
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.cancelled(r, NOW))

    refused = await claim(bus, await pulled(bus), ONE, running_here=nowhere)

    assert isinstance(refused, Refused)
    assert refused.reason == "finished"
    assert not await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_redelivery_to_the_same_runner_is_adopted_and_its_new_handle_works(connect, a_record):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(bus, a_record())
    await claim(bus, await pulled(bus), ONE, running_here=nowhere)

    again = await pulled(bus)
    adopted = await claim(bus, again, ONE, running_here=here)
    await again.ack()

    assert isinstance(adopted, Adopted)
    assert adopted.stored.record.attempt == 1
    assert not await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_pause_longer_than_ack_wait_with_a_living_owner_takes_nothing(connect, a_record, a_heartbeat):
    owner, other = await connect(ack_wait_s=SHORT_ACK_WAIT_S), await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(owner, a_record())
    await claim(owner, await pulled(owner), ONE, running_here=nowhere)
    await owner.runners.beat(a_heartbeat(ONE))
    await connected_long_enough(other)

    refused = await claim(other, await pulled(other), TWO, running_here=nowhere)

    assert isinstance(refused, Refused)
    assert refused.reason == "owner lives"
    record = (await other.jobs.get(stored.record.job_id)).record
    assert (record.owner, record.attempt) == (ONE, 1)
    assert await other.work.has(stored.record.job_id, PLUGIN, DEVICE)


async def test_after_a_reconnect_no_job_of_another_runner_is_taken(connect, a_record):
    """All heartbeats are old after an outage: the owner is given one ack_wait to show that it lives."""
    bus = await connect(ack_wait_s=600)
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, ONE, NOW))

    refused = await claim(bus, await pulled(bus), TWO, running_here=nowhere)

    assert isinstance(refused, Refused)
    assert refused.reason == "just reconnected"
    assert await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_job_of_a_dead_owner_is_taken_and_the_loss_is_written_down(connect, a_record):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, ONE, NOW))
    await connected_long_enough(bus)

    claimed = await claim(bus, await pulled(bus), TWO, running_here=nowhere)

    assert isinstance(claimed, Claimed)
    record = claimed.stored.record
    assert (record.owner, record.attempt) == (TWO, 2)
    assert record.attempts[0].outcome is AttemptOutcome.SURROUNDINGS


@pytest.mark.slow
async def test_a_dead_owner_s_attempt_is_judged_before_the_runner_is_asked_and_a_suspect_may_go_elsewhere(
    connect, a_record
):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, ONE, NOW, circumstances_here()))
    await connected_long_enough(bus)
    asked = []

    async def not_here(record):
        asked.append(record)
        return Elsewhere("suspect", 0.0)

    refused = await claim(bus, await pulled(bus), TWO, running_here=nowhere, admit=not_here)
    claimed = await claim(bus, await pulled(bus), TWO, running_here=nowhere)

    assert (refused.reason, refused.stored.record.owner) == ("suspect", None)
    assert [(record.owner, record.suspicion) for record in asked] == [(None, 1)]
    assert isinstance(claimed, Claimed)
    record = claimed.stored.record
    assert (record.attempt, record.suspicion, record.attempts_spared) == (2, 1, 1)
    assert record.attempts[0].outcome is AttemptOutcome.SURROUNDINGS


async def test_a_job_that_the_runner_does_not_admit_is_offered_again_and_its_record_is_untouched(bus, a_record):
    stored = await a_queued_job(bus, a_record())

    async def not_here(_record):
        return Elsewhere("held", 0.0)

    refused = await claim(bus, await pulled(bus), ONE, running_here=nowhere, admit=not_here)

    assert refused == Refused("held", stored)
    assert (await pulled(bus)).job_id == stored.record.job_id


async def test_the_circumstances_of_the_claim_are_written_into_the_attempt(bus, a_record):
    await a_queued_job(bus, a_record())
    circumstances = circumstances_here(alone=True, has_control=True)

    async def alone(_record):
        return circumstances

    claimed = await claim(bus, await pulled(bus), ONE, running_here=nowhere, admit=alone)

    (attempt,) = claimed.stored.record.attempts
    assert (attempt.boot_id, attempt.oom_kills) == (circumstances.boot_id, circumstances.oom_kills)
    assert (attempt.alone, attempt.has_control) == (True, True)


async def test_released_job_is_taken_at_once(bus, a_record):
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, ONE, NOW))
    await bus.jobs.change(stored.record.job_id, lambda r: moves.released(r, 7, NOW))

    claimed = await claim(bus, await pulled(bus), TWO, running_here=nowhere)

    assert isinstance(claimed, Claimed)
    assert claimed.stored.record.deaths_without_checkpoint == 0


async def test_own_claim_whose_answer_was_lost_is_no_death(bus, a_record):
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, ONE, NOW))

    claimed = await claim(bus, await pulled(bus), ONE, running_here=nowhere)

    assert isinstance(claimed, Claimed)
    assert claimed.stored.record.attempts[0].outcome is AttemptOutcome.RELEASED
    assert claimed.stored.record.deaths_without_checkpoint == 0


@pytest.mark.slow
async def test_claim_that_finds_the_job_exhausted_ends_it_and_acknowledges(connect, a_record):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(bus, a_record())
    for _ in range(moves.MAX_ATTEMPTS):
        await bus.jobs.change(stored.record.job_id, lambda r: moves.released(moves.claimed(r, ONE, NOW), None, NOW))
    await connected_long_enough(bus)

    refused = await claim(bus, await pulled(bus), TWO, running_here=nowhere)

    assert isinstance(refused, Refused)
    assert refused.reason == "exhausted"
    assert refused.stored.record.status is JobStatus.FAILED
    assert not await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_zombie_that_wakes_is_fenced_and_its_silence_keeps_the_new_owners_message(connect, a_record):
    zombie, heir = await connect(ack_wait_s=SHORT_ACK_WAIT_S), await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(zombie, a_record())
    old = await pulled(zombie)
    first = await claim(zombie, old, ONE, running_here=nowhere)
    await connected_long_enough(heir)
    second = await claim(heir, await pulled(heir), TWO, running_here=nowhere)

    def late(record):
        moves.require_owner(record, ONE, 1)
        return moves.progressed(record, NOW, progress=90)

    with pytest.raises(moves.Fenced):
        await zombie.jobs.change(stored.record.job_id, late, known=first.stored)
    old.fence()
    await old.ack()

    assert await heir.jobs.get(stored.record.job_id) == second.stored
    assert await heir.work.has(stored.record.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_claim_whose_ack_was_lost_is_one_attempt(connect, proxy, a_record):
    bus = await connect(proxy.url)
    await a_queued_job(bus, a_record())
    delivery = await pulled(bus)
    proxy.swallow = lambda chunk: b'"stream":"KV_jobs"' in chunk.replace(b" ", b"") and proxy.swallowed == 0

    claimed = await claim(bus, delivery, ONE, running_here=nowhere)

    assert proxy.swallowed == 1
    assert isinstance(claimed, Claimed)
    assert len(claimed.stored.record.attempts) == 1


@pytest.mark.slow
async def test_server_stopped_for_longer_than_ack_wait_takes_no_job_from_a_living_owner(
    server, connect, a_record, a_heartbeat
):
    owner, other = await connect(ack_wait_s=SHORT_ACK_WAIT_S), await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    stored = await a_queued_job(owner, a_record())
    delivery = await pulled(owner)
    await claim(owner, delivery, ONE, running_here=nowhere)
    await owner.runners.beat(a_heartbeat(ONE))
    await connected_long_enough(other)

    server.pause()
    never = asyncio.get_running_loop().create_future()
    await asyncio.wait([never], timeout=3 * SHORT_ACK_WAIT_S)
    server.resume()
    refused = await claim(other, await pulled(other), TWO, running_here=nowhere)

    assert isinstance(refused, Refused)
    record = (await other.jobs.get(stored.record.job_id)).record
    assert (record.owner, record.attempt) == (ONE, 1)
    await delivery.in_progress()
    await delivery.ack()
    assert not await other.work.has(stored.record.job_id, PLUGIN, DEVICE)


async def test_job_whose_fenced_attempt_has_not_left_this_runner_is_given_back(bus, a_record):
    """A second attempt beside one that is winding down would share its place in the runner."""
    stored = await a_queued_job(bus, a_record())
    await bus.jobs.change(stored.record.job_id, lambda r: moves.claimed(r, TWO, NOW))
    await bus.jobs.change(stored.record.job_id, lambda r: moves.released(r, 3, NOW))

    refused = await claim(bus, await pulled(bus), ONE, running_here=here)

    assert isinstance(refused, Refused)
    assert refused.reason == "winding down"
    assert (await bus.jobs.get(stored.record.job_id)).record.attempt == 1
    assert await bus.work.has(stored.record.job_id, PLUGIN, DEVICE)

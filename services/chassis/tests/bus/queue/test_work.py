import asyncio

import pytest

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_contracts import subjects
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.problems import Code
from tests.support import eventually

PLUGIN, DEVICE = "motion-detector", "cpu"
SHORT_ACK_WAIT_S = 0.5


async def pulled(bus):
    """Wait until a message can be pulled."""
    return await eventually(lambda: bus.work.pull(PLUGIN, DEVICE), what="a delivery")


async def test_published_job_is_pulled_once_and_gone_after_ack(bus):
    job_id = new_job_id()
    assert await bus.work.publish(job_id, PLUGIN, DEVICE)

    delivery = await pulled(bus)
    assert (delivery.job_id, delivery.plugin, delivery.device) == (job_id, PLUGIN, DEVICE)
    assert await bus.work.pull(PLUGIN, DEVICE, wait_s=0) is None
    await delivery.ack()

    assert not await bus.work.has(job_id, PLUGIN, DEVICE)


async def test_resend_is_refused_while_queued_and_in_flight_and_accepted_after_ack(bus):
    job_id = new_job_id()
    assert await bus.work.publish(job_id, PLUGIN, DEVICE)
    assert not await bus.work.publish(job_id, PLUGIN, DEVICE)

    delivery = await pulled(bus)
    assert not await bus.work.publish(job_id, PLUGIN, DEVICE)
    assert await bus.work.has(job_id, PLUGIN, DEVICE)

    await delivery.ack()
    assert await bus.work.publish(job_id, PLUGIN, DEVICE)


async def test_purge_removes_a_message_in_flight_and_its_late_ack_does_no_harm(connect):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    job_id, other = new_job_id(), new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)
    delivery = await pulled(bus)

    await bus.work.purge(job_id, PLUGIN, DEVICE)
    await bus.work.publish(other, PLUGIN, DEVICE)
    await delivery.ack()

    assert not await bus.work.has(job_id, PLUGIN, DEVICE)
    assert (await pulled(bus)).job_id == other


async def test_purge_leaves_other_jobs_alone(bus):
    one, two = new_job_id(), new_job_id()
    await bus.work.publish(one, PLUGIN, DEVICE)
    await bus.work.publish(two, PLUGIN, DEVICE)

    await bus.work.purge(one, PLUGIN, DEVICE)

    assert (await pulled(bus)).job_id == two


@pytest.mark.slow
async def test_silent_message_is_handed_out_again(connect):
    bus = await connect(ack_wait_s=SHORT_ACK_WAIT_S)
    job_id = new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)
    await pulled(bus)

    again = await pulled(bus)

    assert again.job_id == job_id


@pytest.mark.slow
async def test_message_kept_in_progress_stays_with_its_owner(connect):
    bus = await connect(ack_wait_s=2.0)
    await bus.work.publish(new_job_id(), PLUGIN, DEVICE)
    delivery = await pulled(bus)

    for _ in range(12):
        await delivery.in_progress()
        assert await bus.work.pull(PLUGIN, DEVICE, wait_s=0.2) is None


async def test_given_back_message_comes_again_at_once(bus):
    await bus.work.publish(new_job_id(), PLUGIN, DEVICE)
    delivery = await pulled(bus)

    await delivery.nak()

    assert (await pulled(bus)).job_id == delivery.job_id


async def test_fenced_delivery_sends_nothing(bus):
    job_id = new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)
    delivery = await pulled(bus)

    delivery.fence()
    await delivery.ack()
    await delivery.nak()

    assert await bus.work.pull(PLUGIN, DEVICE) is None
    assert await bus.work.has(job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_cancelled_pull_loses_no_message(bus):
    await bus.work.ensure_consumer(PLUGIN, DEVICE)
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(bus.work.pull(PLUGIN, DEVICE, wait_s=20))
        await asyncio.wait([pull], timeout=0.2)
        pull.cancel()

    # The cancelled question is still open at the server: it gets this message, and hands it back.
    job_id = new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)

    assert (await pulled(bus)).job_id == job_id


async def test_two_pulls_at_once_give_two_slots_two_jobs(bus):
    jobs = {new_job_id(), new_job_id()}
    for job_id in jobs:
        await bus.work.publish(job_id, PLUGIN, DEVICE)

    deliveries = await asyncio.gather(pulled(bus), pulled(bus))

    assert {delivery.job_id for delivery in deliveries} == jobs


@pytest.mark.slow
async def test_one_message_goes_to_one_of_two_runners(connect):
    one, two = await connect(), await connect()
    await one.work.publish(new_job_id(), PLUGIN, DEVICE)

    deliveries = await asyncio.gather(one.work.pull(PLUGIN, DEVICE, wait_s=1), two.work.pull(PLUGIN, DEVICE, wait_s=1))

    assert sum(delivery is not None for delivery in deliveries) == 1


async def test_hint_names_the_consumer_to_pull(connect):
    runner, api = await connect(), await connect()
    async with runner.work.hints() as hints:
        await api.work.publish(new_job_id(), PLUGIN, DEVICE)

        async with asyncio.timeout(60):
            hint = await anext(aiter(hints))

    assert hint == (PLUGIN, DEVICE)
    assert await pulled(runner) is not None


@pytest.mark.slow
async def test_pull_makes_a_consumer_that_is_missing(connect):
    bus, other = await connect(), await connect()
    await other._main.publish(subjects.work(PLUGIN, DEVICE, new_job_id()))

    assert await pulled(bus) is not None


@pytest.mark.slow
async def test_pull_and_hints_work_again_after_the_server_was_killed(server, bus):
    await bus.work.publish(new_job_id(), PLUGIN, DEVICE)
    await (await pulled(bus)).ack()

    async with bus.work.hints() as hints:
        await server.restart()
        await eventually(lambda: bus.reconnects == 1 and bus.is_connected)
        job_id = new_job_id()
        await bus.work.publish(job_id, PLUGIN, DEVICE)
        async with asyncio.timeout(60):
            await anext(aiter(hints))

    assert (await pulled(bus)).job_id == job_id


@pytest.mark.slow
async def test_queued_job_survives_a_killed_server(server, bus):
    job_id = new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)

    await server.restart()
    await bus.wait_connected(60)

    assert (await pulled(bus)).job_id == job_id


@pytest.mark.slow
async def test_publish_whose_ack_was_lost_counts_as_queued(connect, proxy):
    bus = await connect(proxy.url)
    await bus.work.ensure_consumer(PLUGIN, DEVICE)
    proxy.swallow = lambda chunk: b'"stream":"WORK","seq"' in chunk.replace(b" ", b"") and proxy.swallowed == 0

    queued = await bus.work.publish(new_job_id(), PLUGIN, DEVICE)

    assert proxy.swallowed == 1
    assert queued
    assert await pulled(bus) is not None
    assert await bus.work.pull(PLUGIN, DEVICE) is None


@pytest.mark.slow
async def test_nothing_is_sent_late(server, bus):
    """A late ack would remove the message of the job's new owner."""
    await bus.work.publish(new_job_id(), PLUGIN, DEVICE)
    delivery = await pulled(bus)
    server.kill()
    await eventually(lambda: not bus.is_connected)

    for send in (delivery.ack, delivery.nak, delivery.in_progress):
        with pytest.raises(BusUnavailable):
            await send()
    with pytest.raises(BusUnavailable):
        await bus.work.publish(new_job_id(), PLUGIN, DEVICE, limit_s=0.1)
    with pytest.raises(BusUnavailable):
        await bus.work.pull(PLUGIN, DEVICE)
    await server.start()
    await bus.wait_connected(60)

    assert await bus.work.has(delivery.job_id, PLUGIN, DEVICE)


@pytest.mark.slow
async def test_first_pull_without_a_connection_harms_no_later_one(server, connect):
    bus, api = await connect(), await connect()
    server.kill()
    await eventually(lambda: not bus.is_connected)
    with pytest.raises(BusUnavailable):
        await bus.work.pull(PLUGIN, DEVICE)
    await server.start()
    await bus.wait_connected(60)
    await api.wait_connected(60)
    job_id = new_job_id()

    await api.work.publish(job_id, PLUGIN, DEVICE)

    assert (await pulled(bus)).job_id == job_id


async def test_missing_stream_is_an_unavailable_bus(bus):
    await bus._main.api("STREAM.DELETE.WORK")

    with pytest.raises(BusUnavailable) as caught:
        await bus.work.purge(new_job_id(), PLUGIN, DEVICE)

    assert caught.value.code is Code.SERVICE_UNAVAILABLE


async def test_missing_stream_is_no_missing_message(bus):
    job_id = new_job_id()
    await bus.work.publish(job_id, PLUGIN, DEVICE)
    await bus._main.api("STREAM.DELETE.WORK")

    with pytest.raises(BusUnavailable):
        await bus.work.has(job_id, PLUGIN, DEVICE)

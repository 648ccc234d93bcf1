import pytest

from forgesyte_chassis.bus import CANCEL, WATCH
from forgesyte_contracts.ids import new_job_id
from tests.support import eventually


async def test_cancel_reaches_the_owner_and_is_answered_after_its_handler(connect):
    owner, api = await connect(), await connect()
    job_id, heard = new_job_id(), []

    async def handle(job, verb):
        heard.append((job, verb))

    async with owner.control.on_job(handle):
        answered = await api.control.request_cancel(job_id, timeout_s=60)

    assert answered
    assert heard == [(job_id, CANCEL)]


async def test_runner_that_does_not_own_the_job_leaves_the_answer_to_the_owner(connect):
    stranger, owner, api = await connect(), await connect(), await connect()
    stopped = []

    async def not_mine(_job, _verb):
        return False

    async def stop(job, _verb):
        stopped.append(job)

    async with stranger.control.on_job(not_mine):
        assert not await api.control.request_cancel(new_job_id(), timeout_s=0.05)
        async with owner.control.on_job(stop):
            assert await api.control.request_cancel(new_job_id(), timeout_s=60)

    assert len(stopped) == 1


async def test_cancel_without_a_receiver_is_tried_three_times_and_reported(bus):
    assert not await bus.control.request_cancel(new_job_id(), timeout_s=0.01)


async def test_cancel_without_a_connection_is_reported(server, bus):
    server.kill()

    assert not await bus.control.request_cancel(new_job_id(), timeout_s=0.01)


async def test_watch_is_said_without_an_answer(bus):
    job_id, heard = new_job_id(), []

    async def handle(job, verb):
        heard.append((job, verb))

    async with bus.control.on_job(handle):
        await bus.control.watch(job_id)
        await eventually(lambda: heard == [(job_id, WATCH)])


@pytest.mark.slow
async def test_handler_that_fails_does_not_end_the_listening(bus):
    heard = []

    async def handle(_job, verb):
        heard.append(verb)
        if len(heard) == 1:
            raise ValueError("odd")

    async with bus.control.on_job(handle):
        answered = await bus.control.request_cancel(new_job_id(), timeout_s=3)

    assert answered
    assert heard == [CANCEL, CANCEL]

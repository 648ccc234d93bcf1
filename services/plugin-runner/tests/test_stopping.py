import asyncio

import pytest

from forgesyte_plugin_runner.stopping import Stop, Stopped, StopReason


async def test_a_stop_cuts_a_guarded_wait_short():
    stop = Stop()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(_ended_by_stop(stop))
        await asyncio.sleep(0)
        stop.ask(StopReason.FENCED)

    assert waiting.result()


async def test_the_first_reason_stands():
    stop = Stop()

    stop.ask(StopReason.ENDED)
    stop.ask(StopReason.FENCED)

    assert stop.reason is StopReason.ENDED


async def test_a_finishing_attempt_is_not_released_but_still_fenced():
    stop = Stop()
    stop.finish()

    stop.ask(StopReason.RELEASED)
    assert stop.reason is None

    stop.ask(StopReason.FENCED)
    assert stop.reason is StopReason.FENCED


async def test_a_finishing_attempt_is_released_when_there_is_no_time_left():
    stop = Stop()
    stop.finish()

    stop.ask(StopReason.RELEASED, even_finishing=True)

    assert stop.reason is StopReason.RELEASED


async def test_a_time_out_of_the_work_itself_stays_one():
    async def late() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        await Stop().guard(late())


async def _ended_by_stop(stop: Stop) -> bool:
    with pytest.raises(Stopped):
        await stop.guard(asyncio.Event().wait())
    return True

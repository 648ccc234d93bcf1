import asyncio

import pytest

from forgesyte_chassis.waiting import is_set_within, retry


class AwayError(Exception):
    pass


class OtherError(Exception):
    pass


def failing(*faults):
    """Give a call that raises these, one by one, and then returns how often it was called."""
    left, calls = list(faults), []

    async def call():
        calls.append(None)
        if left:
            raise left.pop(0)
        return len(calls)

    return call


async def test_event_that_is_set_in_time_is_reported():
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    assert await is_set_within(event, 60)


async def test_event_that_is_not_set_in_time_is_reported():
    assert not await is_set_within(asyncio.Event(), 0)


async def test_cancelling_a_wait_for_an_event_is_never_swallowed():
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(is_set_within(asyncio.Event(), 0)) for _ in range(50)]
        await asyncio.sleep(0)
        for wait in waits:
            wait.cancel()

    assert all(wait.cancelled() for wait in waits)


async def test_call_is_repeated_until_it_succeeds():
    assert await retry(failing(AwayError(), AwayError()), on=AwayError, every_s=0) == 3


async def test_other_exception_ends_the_retries():
    with pytest.raises(OtherError):
        await retry(failing(AwayError(), OtherError()), on=AwayError, every_s=0)


async def test_last_failure_propagates_when_the_caller_gives_up():
    first, second = AwayError("first"), AwayError("second")

    with pytest.raises(AwayError, match="second"):
        await retry(failing(first, second), on=AwayError, every_s=0, gives_up=lambda fault: fault is second)


async def test_cancelling_a_retry_is_never_swallowed():
    task = asyncio.get_running_loop().create_task(retry(failing(*[AwayError()] * 10), on=AwayError, every_s=60))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

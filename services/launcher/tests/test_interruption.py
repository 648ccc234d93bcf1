import asyncio

import pytest

from forgesyte_launcher.interruption import Interrupted, unless_stopped


async def test_finished_work_returns_its_result():
    async def work() -> int:
        return 7

    assert await unless_stopped(asyncio.Event(), work()) == 7


async def test_a_stop_cancels_the_work():
    stopping = asyncio.Event()
    stopping.set()

    with pytest.raises(Interrupted):
        await unless_stopped(stopping, asyncio.Event().wait())


async def test_an_exception_of_the_work_is_raised():
    async def work() -> None:
        raise ValueError("from the work")

    with pytest.raises(ExceptionGroup) as caught:
        await unless_stopped(asyncio.Event(), work())

    assert caught.group_contains(ValueError, match="from the work")

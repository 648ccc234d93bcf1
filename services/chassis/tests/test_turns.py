"""Turns for each key."""

import asyncio

from forgesyte_chassis.turns import Turns


async def test_one_key_is_used_by_one_task_at_a_time_and_other_keys_do_not_wait():
    turns, inside, seen = Turns(), [], []

    async def work(key):
        async with turns.turn(key):
            inside.append(key)
            await asyncio.sleep(0)
            seen.append(sorted(inside))
            inside.remove(key)

    await asyncio.gather(*map(work, "aab"))

    assert all(keys.count(key) == 1 for keys in seen for key in keys)
    assert ["a", "b"] in seen


async def test_nothing_is_kept_of_a_key_that_is_no_longer_used():
    turns = Turns()

    async with turns.turn("a"):
        assert len(turns) == 1

    assert len(turns) == 0

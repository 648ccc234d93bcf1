"""A run passes the loop on, however fast its child sends."""

import asyncio

from forgesyte_sandbox.parent import run


async def test_a_flood_of_messages_lets_others_run(monkeypatch):
    monkeypatch.setattr(run, "_TURN_S", -1.0)
    share, reached = run.LoopShare(), asyncio.Event()
    asyncio.get_running_loop().call_soon(reached.set)

    await share.pass_on()

    assert reached.is_set()

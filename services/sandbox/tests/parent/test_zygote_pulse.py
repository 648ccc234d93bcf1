"""The pulse of a zygote, without one: this process's own loop asks and a test answers, or does not."""

import asyncio
import os

from forgesyte_sandbox.parent import zygote_pulse
from forgesyte_sandbox.parent.zygote_pulse import ZygotePulse, is_stopped
from tests.support import eventually

QUICK = {"every_s": 0.02, "silent_s": 0.2}


async def test_a_zygote_that_does_not_answer_is_given_up_once():
    asked, given_up = [], []

    ZygotePulse(os.getpid(), lambda: asked.append(1), given_up.append, **QUICK)
    await eventually(lambda: given_up, what="it is given up")

    assert given_up == ["the process that runs its sandbox (the zygote) did not answer for 0.2 s and was killed"]
    assert len(asked) == 1


async def test_a_zygote_that_answers_is_asked_again_and_again():
    asked, given_up = [], []
    pulse = ZygotePulse(os.getpid(), lambda: (asked.append(1), pulse.answered()), given_up.append, **QUICK)

    await eventually(lambda: len(asked) >= 20, what="it is asked")
    pulse.stop()

    assert given_up == []


async def test_a_stopped_process_is_given_up_at_the_second_look(monkeypatch):
    looks, given_up = iter([False, True, False, True, True]), []
    monkeypatch.setattr(zygote_pulse, "is_stopped", lambda pid: pid == 0 and next(looks))

    ZygotePulse(0, lambda: None, given_up.append, **QUICK)
    await eventually(lambda: given_up, what="it is given up")

    assert given_up == ["the process that runs its sandbox (the zygote) was stopped and was killed"]
    assert next(looks, None) is None


async def test_a_loop_that_was_late_begins_the_wait_again(monkeypatch):
    given_up, loop = [], asyncio.get_running_loop()
    pulse = ZygotePulse(os.getpid(), lambda: None, given_up.append)
    pulse.stop()
    now_s = loop.time()

    pulse._asked_s, pulse._due_s = now_s - 60, now_s - 59
    assert pulse._fault() is None
    assert pulse._asked_s >= now_s


def test_a_process_that_is_gone_is_not_stopped():
    assert not is_stopped(2**22 + 1)
    assert not is_stopped(os.getpid())

"""After the death of a sandbox: the runner that holds the message tries again, or hands the job over at once."""

import time

import psutil
import pytest

from forgesyte_chassis.bus import Delivery
from forgesyte_contracts.jobs import AttemptOutcome
from forgesyte_contracts.problems import Code
from forgesyte_plugin_runner import dispatch
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from tests.support import IS_SOAK, eventually

from .conftest import Gate
from .inside import a_runner, ten_rows
from .test_faults import assert_ten_rows, ended, submit
from .test_jobs import outcomes

CRASHED = SandboxOutcome(
    False, None, "it died", "crashed", 1.0, "crashed", code=Code.PLUGIN_CRASH, frame=3, clause="it died", start_ms=1.0
)


@pytest.fixture
def said(monkeypatch):
    """What is sent for messages that go back to the queue."""
    said = []
    nak = Delivery.nak

    async def spoken(delivery):
        said.append("nak")
        await nak(delivery)

    def later(delivery, delay_s):
        said.append(f"nak after {delay_s:g} s")

    monkeypatch.setattr(Delivery, "nak", spoken)
    monkeypatch.setattr(Delivery, "nak_later", later)
    return said


def dying(inside, times=1):
    """Die in the first attempts."""

    async def plan(say):
        return CRASHED if inside().script.runs <= times else await ten_rows(say)

    return plan


async def test_the_next_attempt_uses_the_message_that_the_runner_holds(box, tmp_path, said):
    async with a_runner(box.nats.url, tmp_path, dying(lambda: inside)) as inside:
        pulled = inside.opened.bus.work.pull
        pulls = []

        async def pull(plugin, device, **how):
            pulls.append(delivery := await pulled(plugin, device, **how))
            return delivery

        inside.opened.bus.work.pull = pull
        record = await ended(box, await submit(box))

    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]
    assert len([delivery for delivery in pulls if delivery is not None]) == 1
    assert said == []


async def test_a_message_that_was_delivered_again_meanwhile_is_the_one_that_is_used(box, tmp_path, said):
    async with a_runner(box.nats.url, tmp_path, slots=2) as inside:

        async def plan(say):
            if inside.script.runs > 1:
                return await ten_rows(say)
            (attempt,) = inside.jobs.values()
            first = attempt._hold._delivery
            await box.hand_out_again()
            await eventually(lambda: attempt._hold._delivery is not first, what="the new handle is taken")
            return CRASHED

        inside.script.plan = plan
        job_id = await submit(box)
        await assert_ten_rows(box, await ended(box, job_id))
        await eventually(lambda: box.is_acknowledged(job_id), what="the newest handle is acknowledged")

    assert said == []


async def test_a_runner_that_drains_hands_the_job_over_at_once(box, tmp_path, said):
    async def plan(_say):
        inside.terminate()
        return CRASHED

    async with a_runner(box.nats.url, tmp_path, plan) as inside:
        job_id = await submit(box)
        await inside.running
    assert said == ["nak"]

    async with a_runner(box.nats.url, tmp_path, name="heir"):
        record = await ended(box, job_id)

    assert outcomes(record) == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]
    assert [attempt.runner_id for attempt in record.attempts] == ["inside", "heir"]


async def test_a_runner_whose_plugin_has_failed_leaves_the_job_to_others(box, tmp_path, said):
    async def plan(_say):
        inside.runner._plugins.mark_failed("probe", "it is broken")
        return CRASHED

    async with a_runner(box.nats.url, tmp_path, plan) as inside:
        job_id = await submit(box)
        await eventually(lambda: said, what="the message goes back")
        assert (await box.record(job_id)).owner is None
        assert inside.script.runs == 1

    assert said == [f"nak after {dispatch.AGAIN_DELAY_S:g} s"]


async def test_a_runner_that_makes_room_for_a_suspect_does_not_try_again(box, tmp_path, said):
    """Its door is closed since the suspect found it busy: the job's next attempt would keep it busy."""
    async with a_runner(box.nats.url, tmp_path) as inside:

        async def plan(_say):
            inside.runner._door._close()
            return CRASHED

        inside.script.plan = plan
        job_id = await submit(box)
        await eventually(lambda: said, what="the message goes back")
        assert (await box.record(job_id)).owner is None
        assert inside.script.runs == 1

    assert said == ["nak after 0.2 s"]


@pytest.mark.long
async def test_the_attempt_after_a_kill_of_a_sandbox_begins_without_the_queue(box, clip, tmp_path):
    """Prints how long it takes from the kill to the next attempt's claim; `make counts` kills 64 times."""
    runner = box.start_runner()
    waits_s = []
    for number in range(64 if IS_SOAK else 16):
        gate = Gate(tmp_path, f"kill-{number}", at=number % 50)
        job_id = await box.submit(clip, "gate", **gate.options)
        sandbox = psutil.Process(await gate.reached())
        killed_s = time.time()
        sandbox.kill()
        gate.open()
        record = await box.ended(job_id)

        assert outcomes(record) == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]
        assert len({attempt.runner_id for attempt in record.attempts}) == 1
        waits_s.append(record.attempts[1].started_at.timestamp() - killed_s)
    print("\nseconds from a kill to the next attempt:", *(f"{wait_s:.2f}" for wait_s in sorted(waits_s)))
    assert "claim refused" not in runner.log.read_text()

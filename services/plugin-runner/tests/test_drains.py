"""SIGTERM at each step of an attempt: the job is given back without blame or may finish; it is never lost."""

import asyncio

import pytest

from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from forgesyte_plugin_runner import dispatch
from forgesyte_plugin_runner.attempt import ending
from tests.support import eventually

from .inside import a_runner
from .test_faults import assert_ten_rows, ended, submit
from .test_jobs import outcomes


class Step:
    """A step of an attempt that pauses until the test lets it continue."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.may_go_on = asyncio.Event()

    def before(self, real):
        """Return the call, but it waits first."""

        async def waiting(*args, **how):
            await self.pause()
            return await real(*args, **how)

        return waiting

    def after(self, real):
        """Return the call, but it waits before it returns its answer."""

        async def waiting(*args, **how):
            answer = await real(*args, **how)
            await self.pause()
            return answer

        return waiting

    async def pause(self) -> None:
        self.reached.set()
        await self.may_go_on.wait()


@pytest.fixture
def step() -> Step:
    return Step()


async def assert_given_back(box, job_id) -> None:
    """Check that the job has no owner and no blame, and that the next runner completes it."""
    record = await box.record(job_id)
    assert (record.status, record.owner, outcomes(record)) == (JobStatus.RUNNING, None, [AttemptOutcome.RELEASED])
    async with a_runner(box.nats.url, box.folder, name="heir"):
        record = await ended(box, job_id)
    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.RELEASED, AttemptOutcome.SUCCEEDED]
    assert record.deaths_without_checkpoint == 0


async def test_between_claim_and_start(box, tmp_path, step, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "claim", step.after(dispatch.claim))
        async with a_runner(box.nats.url, tmp_path, drain_s=0.1) as inside:
            job_id = await submit(box)
            await step.reached.wait()
            inside.terminate()
            await eventually(lambda: inside.runner._slots._is_releasing, what="the time to finish is over")
            step.may_go_on.set()
            await inside.running

    assert inside.script.runs == 0
    await assert_given_back(box, job_id)


async def test_during_the_fetch_of_the_media(box, tmp_path, step, monkeypatch):
    async with a_runner(box.nats.url, tmp_path, drain_s=0.1) as inside:
        monkeypatch.setattr(inside.opened.store, "fetch_to", step.before(inside.opened.store.fetch_to))
        job_id = await submit(box)
        await step.reached.wait()
        await inside.drained()

    assert inside.script.runs == 0
    await assert_given_back(box, job_id)


async def test_during_a_merge_that_outlasts_the_drain(box, tmp_path, step, monkeypatch):
    """It may continue while there is time, because its work would be lost; after that it can only be given back."""
    with monkeypatch.context() as patch:
        patch.setattr(ending, "write_result", step.before(ending.write_result))
        async with a_runner(box.nats.url, tmp_path, drain_s=0.1) as inside:
            job_id = await submit(box)
            await step.reached.wait()
            await inside.drained()

    await assert_given_back(box, job_id)


async def test_during_a_merge_that_ends_in_time(box, tmp_path, step, monkeypatch):
    monkeypatch.setattr(ending, "write_result", step.before(ending.write_result))
    async with a_runner(box.nats.url, tmp_path, drain_s=60) as inside:
        job_id = await submit(box)
        await step.reached.wait()
        inside.terminate()
        step.may_go_on.set()
        await inside.running

    record = await box.record(job_id)
    await assert_ten_rows(box, record)
    assert outcomes(record) == [AttemptOutcome.SUCCEEDED]

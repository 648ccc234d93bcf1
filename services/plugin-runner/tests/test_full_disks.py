"""A full disk is no fault of a job: what runs waits for it, and nothing new is begun."""

import asyncio
import errno

import pytest

from forgesyte_chassis.clock import SystemClock
from forgesyte_chassis.disk_watch import DiskFault, DiskWatch
from forgesyte_chassis.store.blobs import Store, StoreUnavailable
from forgesyte_contracts.jobs import JobStatus
from forgesyte_plugin_runner.attempt.store_retry import RETRY_EVERY_S, PatientStore, StoreLost
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from tests.support import eventually

from .inside import a_runner, ten_rows
from .test_faults import assert_ten_rows, ended, released, submit


class ArrangedDisk(DiskWatch):
    """A disk that is short of space whenever the test says so."""

    is_short = False

    @property
    def fault(self):
        return DiskFault("it is full", is_blocked=True) if self.is_short else None


@pytest.fixture
def disk():
    return ArrangedDisk(())


class Refusing:
    """A call that the store refuses so many times."""

    def __init__(self, times):
        self.left = times

    async def __call__(self, _store):
        if self.left:
            self.left -= 1
            raise StoreUnavailable
        return "written"


@pytest.mark.slow
async def test_a_write_waits_for_space_beyond_store_patience_s(tmp_path, disk):
    store = PatientStore(Store.open(str(tmp_path)), 0.0, SystemClock(), lambda: disk.fault is not None)
    disk.is_short = True
    assert await store.persist(Refusing(2)) == "written"

    disk.is_short = False
    with pytest.raises(StoreLost):
        await store.persist(Refusing(1))

    assert RETRY_EVERY_S <= 1, "space that is back is noticed soon"


@pytest.mark.slow
async def test_media_that_itself_fills_the_disk_is_not_fetched_forever(tmp_path, disk):
    store = PatientStore(Store.open(str(tmp_path)), RETRY_EVERY_S / 2, SystemClock(), lambda: disk.fault is not None)

    def is_seen(is_short):
        disk.is_short = is_short

    async def fills(_store):
        is_seen(True)
        asyncio.get_running_loop().call_later(RETRY_EVERY_S / 4, is_seen, False)  # what was written is removed
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreLost):
        await asyncio.wait_for(store.persist(fills), 60)


async def test_no_job_is_begun_while_a_disk_is_short_of_space(box, tmp_path, disk):
    disk.is_short = True
    async with a_runner(box.nats.url, tmp_path, disk=disk) as runner:
        job_id = await submit(box)
        await eventually(lambda: runner.runner._plugins.is_available("probe"), what="it would take it")
        assert not runner.runner._may_pull("probe")
        assert (await box.record(job_id)).status is JobStatus.PENDING

        disk.is_short = False

        await assert_ten_rows(box, await ended(box, job_id))
        assert runner.runner._health.checks()["storage"] == "ok"


async def test_a_plugin_that_finds_no_space_on_a_full_disk_is_tried_again_and_not_blamed(box, tmp_path, disk):
    tries = []

    async def writes(say):
        tries.append(1)
        if len(tries) > 1:
            return await ten_rows(say)
        disk.is_short = True
        error = "[Errno 28] No space left on device: 'temporary'"
        return SandboxOutcome(False, None, error, "OSError", 1.0, "failed")

    async with a_runner(box.nats.url, tmp_path, writes, disk=disk):
        job_id = await submit(box)
        await released(box, job_id)

        disk.is_short = False

        await assert_ten_rows(box, await ended(box, job_id))
    assert len(tries) == 2


async def test_the_heartbeat_says_how_long_the_step_under_way_may_still_take(box, clip, gate):
    box.start_runner(frame_timeout_s=50)
    async with box.bus.runners.watch() as view:
        job_id = await box.submit(clip, "gate", **gate.options)
        await gate.reached()

        def steps():
            return [step for beat in view.living().values() for step in beat.steps if step.job_id == job_id]

        (step,) = await eventually(steps, what="the step is in the heartbeat")
        assert 0 < step.left_s <= 50
        gate.open()
        await box.ended(job_id)
        await eventually(lambda: not steps(), what="the step is over")

"""Every fault of the stability matrix again, in a warm sandbox that has served a job before."""

import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.pool import WarmKey, WarmPool
from forgesyte_sandbox.parent.zygote import Zygote
from tests.stability.promises import IN_A_JOB, Promise
from tests.stability.test_matrix import assert_error
from tests.stability.witness import MARK_NAME, open_descriptors
from tests.stability.workbench import FRAMES, PLUGINS, Workbench, entry_points
from tests.support import eventually, make_clip

NEVER = 10**6
NAMES = {entry_point: name for name, entry_point in entry_points().items()}
EVERY_DAY = {
    "raises", "exits-3", "segfaults", "loops", "takes-64-mb-steps", "takes-memfd", "leaves-daemons",
    "leaves-daemons-and-segfaults", "floods-stdout", "gives-nan", "writes-garbage", "forges-its-end",
    "closes-all-descriptors", "removes-its-scratch", "changes-cwd", "changes-environment", "changes-signal-handlers",
    "lowers-recursion-limit", "patches-orjson", "load-fails", "load-hangs", "finalize-hangs",
}  # fmt: skip


class WarmDoor:
    """Takes the zygote's place: jobs go to the pool, each plugin's first one without its fault."""

    def __init__(self, zygote: Zygote, pool: WarmPool):
        self.zygote, self.pool = zygote, pool
        self.greeted = set()

    @property
    def pid(self) -> int | None:
        return self.zygote.pid

    async def run(self, order: Order) -> SandboxOutcome:
        key = WarmKey(NAMES[order.spec.entry_point], "cpu")
        if order.spec.tools == ["misbehave"] and key not in self.greeted:
            self.greeted.add(key)
            harmless = replace(order.spec, options={"misbehave": {"at": NEVER}})
            await self.pool.run(key, Order(harmless, order.limits))
        return await self.pool.run(key, order)


class WarmWorkbench(Workbench):
    """The matrix's workbench on a pool; idle sandboxes may live."""

    def survivors(self, scratch: Path, expected: set[int]) -> list[str]:
        return super().survivors(scratch, expected | self.zygote.pool.idle_pids().keys())


@pytest.fixture(scope="session")
def faults_mark() -> str:
    return secrets.token_hex(12)


@pytest.fixture(scope="session")
def faults_clip(tmp_path_factory) -> Path:
    return make_clip(tmp_path_factory.mktemp("faults") / "clip.mp4", frames=FRAMES)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def faults_zygote(faults_mark) -> AsyncIterator[Zygote]:
    path = os.pathsep.join(filter(None, (str(PLUGINS), os.environ.get("PYTHONPATH"))))
    files = f"forgesyte-stability-{faults_mark}"
    async with Zygote.start(env={"PYTHONPATH": path, MARK_NAME: faults_mark, "STABILITY_FILES": files}) as zygote:
        yield zygote
    for folder in ("/tmp", "/dev/shm"):
        for left in Path(folder).glob(f"{files}*"):
            left.unlink(missing_ok=True)


def rows() -> list:
    return [
        pytest.param(promise, id=promise.plugin, marks=[] if promise.plugin in EVERY_DAY else [pytest.mark.long])
        for promise in IN_A_JOB
    ]


def test_the_faults_of_every_day_are_in_the_matrix():
    assert {promise.plugin for promise in IN_A_JOB} >= EVERY_DAY


@pytest.mark.slow
@pytest.mark.parametrize("promise", rows())
async def test_a_fault_in_a_warm_sandbox_ends_as_promised_and_disturbs_no_other_job(
    promise: Promise, faults_zygote, faults_mark, faults_clip, tmp_path
):
    before, zygote_pid = open_descriptors(), faults_zygote.pid
    async with WarmPool.open(faults_zygote, slots=3) as pool:
        workbench = WarmWorkbench(WarmDoor(faults_zygote, pool), faults_mark, faults_clip, tmp_path)
        scratch = workbench.scratch("fault")

        told, neighbour, left = await workbench.fault_beside(promise, scratch)
        after = await workbench.healthy("after")

        assert told.outcome.kind in promise.kinds, told.outcome
        assert_error(promise, told)
        assert [text for text in told.warnings if promise.warning in text] or not promise.warning, told.warnings
        assert left == []
        assert neighbour.is_right, neighbour.outcome
        assert after.is_right, after.outcome
        assert after.pid == neighbour.pid, pool.retired
        is_kept = any(key.plugin == promise.plugin for key in pool.idle_pids().values())
        assert not is_kept or told.outcome.ok
    assert faults_zygote.pid == zygote_pid
    await eventually(lambda: open_descriptors() <= before, 20, "no descriptor is lost")
    assert Workbench(faults_zygote, faults_mark, faults_clip, tmp_path).survivors(scratch, set()) == []

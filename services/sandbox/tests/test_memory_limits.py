"""Real memory: what a sandbox may not have, it does not get, and the outcome is `oom`."""

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.limits import MIB


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        "8-gib",
        "64-mib-steps",
        "cv2-memory",
        "wrapped-memory",
        "torch-words",
        "threads",
        "shared-memory",
        "forked-memory",
    ],
)
async def test_memory_past_the_limit_is_oom(bench, fault, survivors):
    told = await bench.fault(fault, memory_bytes=512 * MIB, processes=4096)

    outcome = told.outcome
    assert (outcome.kind, outcome.code, outcome.frame) == ("oom", Code.PLUGIN_OOM, 2), outcome
    assert [row["frame_index"] for row in told.rows] == [0, 1]
    assert survivors(bench.homes) == []


async def test_a_plugin_may_keep_what_it_loaded_above_the_jobs_allowance(bench):
    from forgesyte_sandbox.shared.limits import Limits

    told = await bench.job("LoadsMuch", limits=Limits(load_memory_bytes=512 * MIB, memory_bytes=128 * MIB))

    assert told.outcome.ok, told.outcome


async def test_load_has_its_own_limit(bench):
    from forgesyte_sandbox.shared.limits import Limits

    told = await bench.job("LoadsMuch", limits=Limits(load_memory_bytes=128 * MIB))

    assert (told.outcome.kind, told.outcome.frame) == ("oom", None)


async def test_a_job_beside_an_oom_is_untouched(bench):
    import asyncio

    async with asyncio.TaskGroup() as group:
        dies = group.create_task(bench.fault("64-mib-steps"))
        lives = group.create_task(bench.job())

    assert dies.result().outcome.kind == "oom"
    assert lives.result().outcome.ok

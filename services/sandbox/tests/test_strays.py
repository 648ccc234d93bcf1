"""Whatever a sandbox starts dies with it: daemons, sessions of their own, programs."""

from pathlib import Path

import pytest


def is_alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind"),
    [("family-segfault", "crashed"), ("family-hang", "timeout"), ("family-success", "succeeded")],
)
async def test_no_descendant_survives_the_run(bench, fault, kind, survivors):
    scratch = bench.scratch()

    told = await bench.fault(fault, scratch=scratch, frame_timeout_s=3 if kind == "timeout" else 60)

    pids = [int(file.read_text()) for file in scratch.glob("*.pid")]
    assert told.outcome.kind == kind, told.outcome
    assert pids
    assert [pid for pid in pids if is_alive(pid)] == []
    assert survivors(scratch) == []


@pytest.mark.slow
async def test_strays_of_one_run_are_told_from_a_neighbours(bench, survivors):
    import asyncio

    told, cancel = bench.told(), asyncio.Event()
    stays, goes = bench.scratch(), bench.scratch()

    async with asyncio.TaskGroup() as group:
        group.create_task(bench.fault("family-hang", told=told, scratch=stays, cancel=cancel))
        await wait_for_daemon(stays)
        await bench.fault("family-segfault", scratch=goes)
        left_of_both = (survivors(goes), len(survivors(stays)))
        cancel.set()

    assert left_of_both == ([], 2)
    assert survivors(stays) == []


async def wait_for_daemon(scratch):
    from tests.support import eventually

    await eventually(lambda: any(file.read_text() for file in scratch.glob("*.pid")))

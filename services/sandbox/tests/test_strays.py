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
    left = bench.left()

    told = await bench.fault(fault, left=left, frame_timeout_s=3 if kind == "timeout" else 60)

    pids = [int(file.read_text()) for file in left.glob("*.pid")]
    assert told.outcome.kind == kind, told.outcome
    assert pids
    assert [pid for pid in pids if is_alive(pid)] == []
    assert survivors(bench.homes) == []


@pytest.mark.slow
async def test_strays_of_one_run_are_told_from_a_neighbours(bench, survivors):
    import asyncio

    told, cancel = bench.told(), asyncio.Event()

    async with asyncio.TaskGroup() as group:
        group.create_task(bench.fault("family-hang", told=told, cancel=cancel))
        stays = await home_with_daemon(bench)
        await bench.fault("family-segfault")
        left_of_both = (len(survivors(bench.homes)), len(survivors(stays)))
        cancel.set()

    assert left_of_both == (2, 2)
    assert survivors(bench.homes) == []


async def home_with_daemon(bench):
    from tests.support import eventually

    def noted():
        return [file for file in bench.homes.glob("*/scratch/*.pid") if file.read_text()]

    await eventually(noted)
    return noted()[0].parent

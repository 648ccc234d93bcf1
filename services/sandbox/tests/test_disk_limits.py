"""Real files: a sandbox that keeps too much on disk ends as failed with DISK_LIMIT, and nothing of it stays."""

from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.zygote import Zygote
from forgesyte_sandbox.shared.limits import MIB, Limits
from forgesyte_sandbox.shared.wall_rules import WallRules

from .conftest import PLUGINS


def test_scratch_is_2_gib_a_job():
    assert Limits().scratch_bytes == 2 << 30


@pytest.mark.parametrize(
    ("fault", "limits", "setting"),
    [
        pytest.param("many-mib", {"scratch_bytes": 8 * MIB}, "scratch_bytes", id="many files of 1 MiB"),
        pytest.param("unnamed-mib", {"scratch_bytes": 8 * MIB}, "scratch_bytes", id="files without a name"),
        pytest.param("many-files", {"scratch_files": 100}, "scratch_files", id="many empty files"),
        pytest.param("one-file", {"scratch_bytes": 8 * MIB}, "scratch_bytes", id="one file"),
    ],
)
async def test_a_run_that_keeps_too_much_on_disk_fails(bench, fault, limits, setting):
    told = await bench.fault(fault, **limits)

    outcome = told.outcome
    assert (outcome.kind, outcome.code, outcome.frame) == ("failed", Code.DISK_LIMIT, 2), outcome
    assert setting in outcome.error
    assert "limit" in outcome.clause or "more than 100 files" in outcome.clause
    assert [*bench.homes.glob("*/scratch/*")] == []


async def test_what_is_taken_away_again_does_not_count(bench):
    told = await bench.fault("writes-and-removes", scratch_bytes=8 * MIB)

    assert told.outcome.ok, told.outcome


def left_in_shared_memory(told):
    return Path(told.rows[2]["detections"]["value"])


async def test_shared_memory_that_no_process_removed_goes_with_the_run(bench):
    told = await bench.fault("leaves-shared-memory")

    assert told.outcome.ok, told.outcome
    assert not left_in_shared_memory(told).exists()


@pytest.mark.slow
async def test_shared_memory_goes_too_where_sandboxes_have_no_uid_of_their_own(bench, monkeypatch):
    others = Path("/dev/shm", "sandbox-test-neighbour")
    others.touch()
    async with Zygote.start(env={"PYTHONPATH": str(PLUGINS)}, wall=WallRules(uids=None, is_required=False)) as zygote:
        monkeypatch.setattr(bench, "zygote", zygote)
        told = await bench.fault("leaves-shared-memory")

    assert told.outcome.ok, told.outcome
    assert not left_in_shared_memory(told).exists()
    assert others.exists()
    others.unlink()

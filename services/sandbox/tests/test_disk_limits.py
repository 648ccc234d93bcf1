"""Real files: a sandbox that keeps too much on disk ends as failed with DISK_LIMIT, and nothing of it stays."""

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared.limits import MIB


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

"""Jobs of a plugin with `isolation: plugin` in a real runner: one warm sandbox serves one after the other."""

import os

import pytest

from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from tests.support import alive, eventually

PLUGIN = "warm-probe"
MODULE = '''
from forgesyte_probe_plugin import Probe

class WarmProbe(Probe):
    """The probe, loaded once."""

    name = "warm-probe"
    isolation = "plugin"
'''


@pytest.fixture
def warm_probe(tmp_path, monkeypatch):
    """Install the plugin for the runners of this test."""
    info = tmp_path / "installed" / "warm_probe_plugin-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: warm-probe-plugin\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[forgesyte.plugins]\n{PLUGIN} = warm_probe_plugin:WarmProbe\n")
    (info.parent / "warm_probe_plugin.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(info.parent), os.environ.get("PYTHONPATH")))))


async def run_one(box, clip, gate):
    """Run a job through the gate; gives its record and the sandbox it was in."""
    gate.open()
    job_id = await box.submit(clip, "gate", PLUGIN, **gate.options)
    record = await box.ended(job_id)
    pid = await gate.reached()
    gate.reached_file.unlink()
    return record, pid


async def test_jobs_of_a_warm_plugin_share_a_sandbox_and_nothing_else(box, clip, gate, warm_probe):
    runner = box.start_runner(plugins=PLUGIN)

    told = [await run_one(box, clip, gate) for _ in range(3)]
    tree = runner.tree()
    code = await runner.drained()

    assert [record.status for record, _ in told] == [JobStatus.COMPLETED] * 3
    assert len({pid for _, pid in told}) == 1
    assert told[0][1] in {process.pid for process in tree}
    assert code == 0
    assert not alive(tree)


@pytest.mark.slow
async def test_a_death_of_the_warm_sandbox_costs_its_job_one_attempt_and_no_other_job_any(box, clip, gate, warm_probe):
    box.start_runner(plugins=PLUGIN)
    _, first = await run_one(box, clip, gate)
    gate.file.unlink()

    job_id = await box.submit(clip, "gate", PLUGIN, **gate.options)
    pid = await gate.reached()
    gate.reached_file.unlink()
    os.kill(pid, 9)
    await gate.reached()
    gate.open()
    record = await box.ended(job_id)
    gate.reached_file.unlink()
    after, _ = await run_one(box, clip, gate)

    assert pid == first
    assert record.status is JobStatus.COMPLETED, record.error_message
    assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.CRASHED, AttemptOutcome.SUCCEEDED]
    assert [attempt.outcome for attempt in after.attempts] == [AttemptOutcome.SUCCEEDED]


@pytest.mark.slow
async def test_an_idle_sandbox_ends_after_its_time(box, clip, gate, warm_probe):
    runner = box.start_runner(plugins=PLUGIN, warm_idle_s=0.5)
    _, pid = await run_one(box, clip, gate)

    await eventually(lambda: pid not in {process.pid for process in runner.tree()}, what="the idle sandbox is ended")
    record, _ = await run_one(box, clip, gate)

    assert record.status is JobStatus.COMPLETED

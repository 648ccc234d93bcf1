"""Jobs of a plugin with `isolation: plugin` in a real runner: one warm sandbox serves one after the other."""

import json
import os
import re

import httpx
import psutil
import pytest

from forgesyte_contracts.ids import PluginName
from forgesyte_contracts.jobs import AttemptOutcome, JobStatus
from tests.support import alive, eventually, make_clip

from .test_media_deaths import TIGHT_BYTES

PLUGIN = "warm-probe"
LOAD_S = 0.3
MODULE = f'''
import threading

from forgesyte_probe_plugin import Probe

class WarmProbe(Probe):
    """The probe, loaded once."""

    name = "warm-probe"
    isolation = "plugin"

    def load(self, device):
        threading.Event().wait({LOAD_S})
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
    """Run a job through the gate; return its record and its sandbox."""
    gate.open()
    job_id = await box.submit(clip, "gate", PLUGIN, **gate.options)
    record = await box.ended(job_id)
    pid = await gate.reached()
    gate.reached_file.unlink()
    return record, pid


async def start_standing_job(box, clip, gate):
    """Start a job that waits at the gate; return its id and its sandbox."""
    gate.file.unlink(missing_ok=True)
    job_id = await box.submit(clip, "gate", PLUGIN, **gate.options)
    pid = await gate.reached()
    gate.reached_file.unlink()
    return job_id, pid


async def scrape(runner):
    """The samples of a scrape of the runner's own metrics, by name with labels."""
    lines = await eventually(
        lambda: [line for line in runner.log.read_text().splitlines() if '"ops port open"' in line], 60, "ops port"
    )
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"http://127.0.0.1:{json.loads(lines[0])['port']}/metrics")).raise_for_status().text
    found = re.findall(r"^forgesyte_runner_(\S+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def processes(samples):
    """What the scrape says of the sandboxes: (plugin, state) and how many."""
    found = {re.fullmatch(r'sandbox_processes\{plugin="(.+)",state="(.+)"\}', name): samples[name] for name in samples}
    return {match.groups(): count for match, count in found.items() if match}


def sandboxes(runner):
    """The pids of the sandboxes that live: the children of the zygote."""
    (zygote,) = psutil.Process(runner.pid).children()
    return {process.pid for process in zygote.children()}


async def test_jobs_of_a_warm_plugin_share_a_sandbox_and_nothing_else(box, clip, gate, warm_probe):
    runner = box.start_runner(plugins=PLUGIN)

    ran = [await run_one(box, clip, gate) for _ in range(3)]
    tree = runner.tree()
    code = await runner.drained()

    assert [record.status for record, _ in ran] == [JobStatus.COMPLETED] * 3
    assert len({pid for _, pid in ran}) == 1
    assert ran[0][1] in {process.pid for process in tree}
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
async def test_media_on_which_decoding_dies_in_a_warm_sandbox_fails_its_own_job(box, clip, gate, warm_probe, tmp_path):
    box.start_runner(plugins=PLUGIN, memory_bytes=TIGHT_BYTES)
    _, first = await run_one(box, clip, gate)
    large = make_clip(tmp_path / "large.mp4", frames=2, size_wh=(7680, 4320)).read_bytes()

    records = [await box.ended(await box.submit(large, "gate", PLUGIN)) for _ in range(3)]
    after, pid = await run_one(box, clip, gate)

    for record in records:
        assert (record.status, record.error_code, record.error_type) == (JobStatus.FAILED, "MEDIA_INVALID", "oom")
        assert [attempt.outcome for attempt in record.attempts] == [AttemptOutcome.FAILED]
    assert after.status is JobStatus.COMPLETED
    assert pid != first, "a sandbox whose decoder died is replaced"


@pytest.mark.slow
async def test_an_idle_sandbox_ends_after_its_time(box, clip, gate, warm_probe):
    runner = box.start_runner(plugins=PLUGIN, warm_idle_s=0.5)
    _, pid = await run_one(box, clip, gate)

    await eventually(lambda: pid not in {process.pid for process in runner.tree()}, what="the idle sandbox is ended")
    record, _ = await run_one(box, clip, gate)

    assert record.status is JobStatus.COMPLETED


async def test_warm_and_busy_sandboxes_are_counted_as_they_live(box, clip, gate, another_gate, warm_probe):
    runner = box.start_runner(plugins=PLUGIN, slots=2, ops_port=0)
    first, one = await start_standing_job(box, clip, gate)
    assert processes(await scrape(runner)) == {(PLUGIN, "busy"): 1}

    second, other = await start_standing_job(box, clip, another_gate)
    assert sandboxes(runner) == {one, other}
    assert processes(await scrape(runner)) == {(PLUGIN, "busy"): 2}

    gate.open()
    await box.ended(first)
    both = {(PLUGIN, "busy"): 1, (PLUGIN, "warm"): 1}
    await eventually(lambda: counts(runner, both), what="one waits for a job and one has one")
    assert sandboxes(runner) == {one, other}

    another_gate.open()
    await box.ended(second)
    await eventually(lambda: counts(runner, {(PLUGIN, "warm"): 2}), what="both wait for a job")
    held_bytes = (await scrape(runner))[f'plugin_memory_bytes{{plugin="{PLUGIN}"}}']
    assert held_bytes > 2 * 10 << 20, "what waits for a job holds memory as well"

    os.kill(one, 9)
    await eventually(lambda: counts(runner, {(PLUGIN, "warm"): 1}), what="one that died is not counted")
    os.kill(other, 9)
    await eventually(lambda: counts(runner, {}), what="nor is the other")


async def counts(runner, wanted):
    """Whether a scrape counts these sandboxes."""
    return processes(await scrape(runner)) == wanted


async def test_the_start_of_a_sandbox_is_fork_and_load_and_a_warm_one_starts_nothing(box, clip, gate, warm_probe):
    runner = box.start_runner(plugins=f"{PLUGIN},probe", slots=2, ops_port=0)
    for _ in range(3):
        await run_one(box, clip, gate)
    await box.ended(await box.submit(clip, "gate"))

    samples = await eventually(lambda: has_started(runner, "job"), what="the start in isolation job is counted")

    cold, fresh = ({"isolation": isolation, "plugin": plugin} for isolation, plugin in STARTS)
    assert samples[series("sandbox_start_seconds_count", cold)] == 1, "the second and third job found it loaded"
    assert samples[series("sandbox_start_seconds_sum", cold)] >= LOAD_S
    assert samples[series("sandbox_start_seconds_count", fresh)] == 1
    assert 0 < samples[series("sandbox_start_seconds_sum", fresh)] < 60


STARTS = (("plugin", PLUGIN), ("job", "probe"))


def series(name, labels):
    return f"{name}{{{','.join(f'{key}="{value}"' for key, value in sorted(labels.items()))}}}"


async def has_started(runner, isolation):
    """The samples, once a start in this isolation was counted."""
    samples = await scrape(runner)
    return samples if any(f'isolation="{isolation}"' in name for name in samples) else None


async def test_a_reload_ends_what_waits_for_a_job_now_and_what_has_one_after_it(
    box, clip, gate, another_gate, warm_probe
):
    runner = box.start_runner(plugins=PLUGIN, slots=2)
    first, idle = await start_standing_job(box, clip, gate)
    second, busy = await start_standing_job(box, clip, another_gate)
    gate.open()
    await box.ended(first)

    await box.bus.control.reload(PluginName(PLUGIN))

    await eventually(lambda: sandboxes(runner) == {busy}, what="the idle sandbox is ended, the busy one is not")
    another_gate.open()
    assert [attempt.outcome for attempt in (await box.ended(second)).attempts] == [AttemptOutcome.SUCCEEDED]
    await eventually(lambda: sandboxes(runner) == set(), what="the busy one is ended after its job")
    _, new = await run_one(box, clip, gate)
    assert new not in (idle, busy)
    assert (await run_one(box, clip, gate))[1] == new, "what was loaded after the reload stays"

"""What a runner counts: each thing once, under labels whose number no plugin and no job can increase."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from forgesyte_chassis.clock import SystemClock
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import AttemptOutcome, DecodeFacts, JobRecord, JobType, StageTimings
from forgesyte_contracts.plugins import PluginManifest, SandboxPolicy
from forgesyte_contracts.runners import Device
from forgesyte_plugin_runner.devices.devices import DeviceMonitor
from forgesyte_plugin_runner.devices.nvidia import Nvidia
from forgesyte_plugin_runner.gauges import RunnerGauges
from forgesyte_plugin_runner.job_sandboxes import JobSandboxes
from forgesyte_plugin_runner.living_sandboxes import LivingSandbox
from forgesyte_plugin_runner.metrics import RunnerMetrics
from forgesyte_plugin_runner.plugin_labels import MAX_NAMED, PluginLabels
from forgesyte_plugin_runner.plugins.registry import PluginRegistry
from forgesyte_plugin_runner.slots import Slots
from forgesyte_plugin_runner.stopping import StopReason
from forgesyte_sandbox.parent.installed_plugins import FoundPlugin
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.parent.pool import WarmKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = SandboxOutcome(True, {}, None, None, 20.0, "succeeded", start_ms=10.0)


class IdlePool:
    """A pool of loaded sandboxes that has nothing but its idle processes."""

    def __init__(self) -> None:
        self.pids: dict[int, WarmKey] = {}

    def idle_pids(self) -> dict[int, WarmKey]:
        return self.pids


class Meters:
    """Everything a runner counts, without the runner."""

    def __init__(self, *plugins: str) -> None:
        self.counted = CollectorRegistry()
        self.plugins = PluginRegistry()
        for name in plugins:
            self.install(name)
        labels = PluginLabels(lambda: {plugin.name for plugin in self.plugins.list_all()})
        self.metrics = RunnerMetrics(self.counted, labels)
        self.idle = IdlePool()
        self.zygote = SimpleNamespace(policy=None)
        self.sandboxes = JobSandboxes(self.zygote, self.idle)
        self.devices = DeviceMonitor(SystemClock(), Nvidia(no_library))
        parts = (labels, Slots(2), self.plugins, self.sandboxes, self.devices, lambda: 3)
        self.counted.register(RunnerGauges(*parts))

    def install(self, name: str) -> None:
        facts = {"name": name, "version": "1.0.0", "tools": [{"name": "seek"}]}
        self.plugins.register(FoundPlugin(name, f"{name}:Plugin", name), PluginManifest.model_validate(facts))
        self.plugins.mark_initialized(name)

    def value(self, name: str, **labels: str) -> float | None:
        return self.counted.get_sample_value(f"forgesyte_runner_{name}", labels)

    def series(self) -> int:
        return sum(not line.startswith("#") for line in generate_latest(self.counted).decode().splitlines())


def no_library() -> object:
    raise ImportError


def a_record(plugin: str = "seeker", status: str = "completed", **facts: object) -> JobRecord:
    begun = {"started_at": NOW + timedelta(seconds=3), "completed_at": NOW + timedelta(seconds=5), "attempt": 1}
    values = {"tools": ("seek",), "created_at": NOW, "updated_at": NOW, **begun, **facts}
    return JobRecord(job_id=new_job_id(), plugin_id=plugin, status=status, **values)


def test_an_attempt_that_ends_a_job_counts_both_with_their_seconds_frames_and_stages():
    meters = Meters("seeker")
    decode = DecodeFacts(frames_decoded=60, frames_skipped=2, frames_corrupt=1)

    meters.metrics.claimed(a_record(status="running"))
    meters.metrics.frame_processed("seeker")
    meters.metrics.attempt_ended(
        a_record(decode=decode, stage_timings_ms=StageTimings(fetch=500.0)), AttemptOutcome.SUCCEEDED
    )

    assert meters.value("jobs_total", plugin="seeker", kind="video", outcome="completed") == 1
    assert meters.value("attempts_total", plugin="seeker", outcome="succeeded") == 1
    assert meters.value("job_seconds_sum", plugin="seeker", kind="video") == 2
    assert meters.value("queue_wait_seconds_sum", kind="video") == 3
    assert meters.value("stage_seconds_sum", plugin="seeker", stage="fetch") == 0.5
    frames = {status: meters.value("frames_total", plugin="seeker", status=status) for status in ("skipped", "corrupt")}
    assert frames == {"skipped": 2, "corrupt": 1}
    assert meters.value("frames_total", plugin="seeker", status="processed") == 1


def test_an_attempt_that_does_not_end_its_job_counts_no_job():
    meters = Meters("seeker")

    meters.metrics.attempt_ended(a_record(status="running", job_type=JobType.IMAGE), AttemptOutcome.TIMEOUT)

    assert meters.value("attempts_total", plugin="seeker", outcome="timeout") == 1
    assert meters.value("sandbox_kills_total", plugin="seeker", reason="timeout") == 1
    assert "forgesyte_runner_jobs_total{" not in generate_latest(meters.counted).decode()


def test_a_start_is_counted_when_a_sandbox_was_started_and_loaded():
    meters = Meters("seeker")

    for outcome in (STARTED, replace(STARTED, was_warm=True), replace(STARTED, start_ms=None)):
        meters.metrics.sandbox_ran("seeker", "plugin", outcome)

    assert meters.value("sandbox_start_seconds_count", plugin="seeker", isolation="plugin") == 1
    assert meters.value("sandbox_start_seconds_sum", plugin="seeker", isolation="plugin") == 0.01


def test_a_suspect_is_counted_when_it_stops_being_one():
    meters = Meters("seeker")

    for record in (
        a_record(status="running", suspicion=1),
        a_record(status="running"),
        a_record(status="completed"),
        a_record(status="failed", alone_faults=(5, 5)),
        a_record(status="cancelled", suspicion=1),
    ):
        meters.metrics.suspect_left(record)

    counted = {how: meters.value("suspects_total", outcome=how) for how in ("cleared", "completed", "failed")}
    assert counted == {"cleared": 1, "completed": 1, "failed": 1}
    assert meters.value("suspects_total", outcome="cancelled") is None


def test_kills_are_counted_by_reason():
    meters = Meters("seeker")

    for why in StopReason:
        meters.metrics.stopped("seeker", why)

    reasons = ("cancel", "shutdown", "fenced")
    assert all(meters.value("sandbox_kills_total", plugin="seeker", reason=reason) for reason in reasons)


def test_the_gauges_show_the_present_moment(monkeypatch):
    meters = Meters("seeker", "broken")
    meters.plugins.mark_failed("broken", "broken for a test")
    meters.plugins.record_success("seeker")
    meters.sandboxes.living.enter(LivingSandbox("seeker", pid=1, limit_bytes=1 << 30))

    assert meters.value("slots") == 2
    assert meters.value("bus_reconnects_total") == 3
    assert meters.value("plugin_state", plugin="seeker", state="INITIALIZED") == 1
    assert meters.value("plugin_state", plugin="seeker", state="FAILED") == 0
    assert meters.value("plugin_state", plugin="broken", state="FAILED") == 1
    assert meters.value("plugin_last_success_timestamp_seconds", plugin="seeker") > 1e9
    assert meters.value("plugin_last_success_timestamp_seconds", plugin="broken") is None
    assert meters.value("sandbox_processes", plugin="seeker", state="busy") == 1
    assert meters.value("plugin_memory_limit_bytes", plugin="seeker") == 1 << 30
    meters.idle.pids = {1: WarmKey("seeker", "cpu"), 2: WarmKey("seeker", "cpu")}
    assert meters.value("sandbox_processes", plugin="seeker", state="busy") == 1
    assert meters.value("sandbox_processes", plugin="seeker", state="warm") == 1, "one that is both is busy"
    meters.sandboxes.living.leave(1)
    assert meters.value("sandbox_processes", plugin="seeker", state="busy") is None
    assert meters.value("sandbox_processes", plugin="seeker", state="warm") == 2


async def test_a_device_is_shown_with_its_known_figures():
    meters = Meters()
    assert meters.value("device_memory_bytes", device="cpu", kind="total") is None

    await meters.devices.measure()

    assert 0 <= meters.value("device_utilisation_ratio", device="cpu") <= 1
    assert meters.value("device_memory_bytes", device="cpu", kind="total") > 0
    assert [device.kind for device in meters.devices.devices] == ["cpu"]
    assert isinstance(meters.devices.devices[0], Device)


@pytest.mark.parametrize(("word", "value"), [("walled", 0.0), ("degraded", 1.0), ("off", 1.0)])
def test_a_degraded_sandbox_is_a_metric(word, value):
    meters = Meters()
    assert meters.counted.get_sample_value("forgesyte_runner_sandbox_degraded") is None

    meters.zygote.policy = SandboxPolicy(word=word)

    assert meters.counted.get_sample_value("forgesyte_runner_sandbox_degraded") == value


def everything_happens(meters: Meters, plugin: str) -> None:
    """One of every event for a plugin, with a job id and a frame of its own."""
    for isolation in ("job", "plugin"):
        meters.metrics.sandbox_ran(plugin, isolation, STARTED)
    meters.metrics.frame_processed(plugin)
    for outcome in AttemptOutcome:
        for status in ("running", "completed", "failed", "cancelled"):
            for kind in JobType:
                record = a_record(plugin, status, job_type=kind, decode=DecodeFacts(codec=f"codec-{plugin}"))
                meters.metrics.claimed(record)
                meters.metrics.attempt_ended(record, outcome)
    for why in StopReason:
        meters.metrics.stopped(plugin, why)
    meters.metrics.refused("owner lives")
    meters.metrics.refused(f"a reason of {plugin}")


@pytest.mark.slow
def test_no_plugin_and_no_job_makes_more_series_than_there_are_names():
    meters = Meters("seeker")
    everything_happens(meters, "seeker")
    everything_happens(meters, "unknown-0")
    bound = meters.series()
    each = bound / 2

    for number in range(1, 50):
        everything_happens(meters, f"unknown-{number}")
        everything_happens(meters, "seeker")
    assert meters.series() == bound, "unknown plugins share one label, jobs have none"

    for number in range(2 * MAX_NAMED):
        meters.install(f"installed-{number}")
        meters.metrics.frame_processed(f"installed-{number}")
        meters.metrics.attempt_ended(a_record(f"installed-{number}"), AttemptOutcome.SUCCEEDED)
    assert meters.series() <= (MAX_NAMED + 1) * each
    text = generate_latest(meters.counted).decode()
    assert 'plugin="other"' in text
    assert "unknown-" not in text
    assert text.count("forgesyte_runner_jobs_total{") <= 3 * 2 * (MAX_NAMED + 1)

"""The one ops port of `forgesyte up`: every metric of the contract stands on it, with its labels letter for letter."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import eventually, make_clip, meeting_point, running_stack
from tests.support.nats import free_port
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

RUNNER = """
jobs_total{plugin,kind,outcome} attempts_total{plugin,outcome} frames_total{plugin,status}
stage_seconds{plugin,stage} job_seconds{plugin,kind} queue_wait_seconds{kind} slots slots_busy
sandbox_processes{plugin,state} sandbox_kills_total{plugin,reason} sandbox_start_seconds{plugin,isolation}
plugin_state{plugin,state} plugin_last_success_timestamp_seconds{plugin} plugin_memory_bytes{plugin}
plugin_memory_limit_bytes{plugin} plugin_gpu_memory_bytes{plugin} device_utilisation_ratio{device}
device_memory_bytes{device,kind} checkpoint_age_seconds claims_refused_total{reason} bus_reconnects_total
suspects_total{outcome} sandbox_degraded
"""
GATEWAY = """
connections{transport} connects_total{result} disconnects_total{reason} events_total{type}
events_dropped_total{type,reason} events_coalesced_total event_lag_seconds slow_clients_evicted_total
"""
API = """
requests_total{route,method,code} request_seconds{route,method} jobs_submitted_total{plugin,kind}
jobs_rejected_total{code} jobs_open{status} oldest_pending_seconds uploads_total{result} upload_bytes_total
projection_lag reconciled_total{reason} reconcile_failures_total reconcile_age_seconds
"""
INSPECTOR = "runners{state} plugins{state}"
ONLY_WHILE_A_JOB_RUNS = {
    "sandbox_processes",
    "plugin_memory_bytes",
    "plugin_memory_limit_bytes",
    "plugin_gpu_memory_bytes",
}
ONLY_AFTER_A_FAULT = {
    "sandbox_kills_total", "claims_refused_total", "suspects_total", "events_dropped_total", "jobs_rejected_total",
}  # fmt: skip


def contract() -> dict[str, set[str]]:
    """Every metric of contract section 10 with its labels."""
    rooms = {"runner": RUNNER, "gateway": GATEWAY, "api": API, "inspector": INSPECTOR}
    return {
        f"forgesyte_{room}_{name}": set(filter(None, labels.split(",")))
        for room, text in rooms.items()
        for name, labels in re.findall(r"(\w+)(?:\{([\w,]+)\})?", text)
    }


def names_in(text: str) -> dict[str, set[str]]:
    """Every metric of ours in a scrape, with the labels of its samples."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("forgesyte_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels}
        found[name] = labels - {"le"}
    return found


@pytest.fixture
async def box(tmp_path) -> AsyncIterator[tuple[Stack, httpx.AsyncClient]]:
    """The product, and a client of its ops port."""
    port = free_port()
    env = {"FORGESYTE_LAUNCHER_OPS_PORT": str(port)}
    async with (
        running_stack(tmp_path / "data", env=env) as stack,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as ops,
    ):
        yield stack, ops


async def test_one_scrape_holds_every_metric_of_the_contract(box, tmp_path):
    stack, ops = box
    clip = make_clip(tmp_path / "clip.mp4", frames=20)
    gate = meeting_point("gate")
    job_id = await stack.submit(clip, "gate", gate=str(gate))
    await eventually(lambda: _is_running(stack, job_id), 30, "the job runs")

    text = (await ops.get("/metrics")).text
    gate.touch()
    await stack.ended(job_id)
    after = (await ops.get("/metrics")).text

    during, then = names_in(text), names_in(after)
    wanted = contract()
    assert set(then) - {"forgesyte_build_info"} == set(wanted)
    for name, labels in wanted.items():
        short = name.split("_", 2)[2]
        if short in ONLY_AFTER_A_FAULT:
            continue
        told = during if short in ONLY_WHILE_A_JOB_RUNS else then
        assert told[name] == labels, name
    assert job_id not in text + after


async def test_scrape_goes_on_without_the_runner_and_has_it_again_when_it_is_back(box):
    stack, ops = box
    runner = stack.runner()

    runner.kill()
    answer = await ops.get("/metrics")

    assert answer.status_code == 200
    assert "forgesyte_api_jobs_open" in answer.text

    async def is_back() -> bool:
        return "forgesyte_runner_slots 2.0" in (await ops.get("/metrics")).text

    await eventually(is_back, 60, "the new runner is counted")


async def _is_running(stack: Stack, job_id: str) -> bool:
    return bool((await stack.job(job_id))["current_frame"])

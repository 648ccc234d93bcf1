"""What job-api counts, on a running service, and that nothing from outside can make the registry grow."""

import asyncio
import math
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import JOB_API, routes_of
from forgesyte_job_api.metrics import MAX_PLUGINS_NAMED, ApiMetrics, Reconciled
from forgesyte_job_api.settings import JobApiSettings
from tests.support import digest_of, eventually

NAMES = {
    "requests_total", "request_seconds", "jobs_submitted_total", "jobs_rejected_total", "jobs_open",
    "oldest_pending_seconds", "uploads_total", "upload_bytes_total", "projection_lag", "reconciled_total",
    "reconcile_failures_total", "reconcile_age_seconds",
}  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW")


def series_of(registry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


async def test_every_name_of_the_contract_is_there(api):
    await api.submit()
    await api.submit(tool="nope")

    names = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in api.registry.collect()
        if family.name.startswith("forgesyte_api_")
    }

    assert names == {f"forgesyte_api_{name}" for name in NAMES}


async def test_an_accepted_submit_is_counted_with_its_upload(api):
    await api.submit(b"some video")

    assert api.value("jobs_submitted_total", plugin="motion", kind="video") == 1
    assert api.value("uploads_total", result="stored") == 1
    assert api.value("upload_bytes_total") == 10
    assert api.value("requests_total", route="/v1/video/submit", method="POST", code="202") == 1
    assert api.value("request_seconds_count", route="/v1/video/submit", method="POST") == 1


async def test_refusals_are_counted_by_their_code_and_only_what_was_read_as_upload(api):
    await api.submit(tool="nope")
    await api.submit(b"")

    assert api.value("jobs_rejected_total", code="TOOL_UNKNOWN") == 1
    assert api.value("jobs_rejected_total", code="MEDIA_INVALID") == 1
    assert api.value("uploads_total", result="refused") == 1
    assert api.value("uploads_total", result="stored") == 0
    assert api.value("jobs_submitted_total", plugin="motion", kind="video") is None


async def test_a_refusal_before_anything_is_read_counts_as_well(start):
    keys = (f"reader:read:{digest_of('r')}", f"sender:analyze:{digest_of('s')}")
    asked = {"plugin_id": "motion", "tool": "motion"}
    async with start(keys=KeyRing.from_settings(JobApiSettings(api_keys=keys))) as api:
        await api.http.post("/v1/video/submit", params=asked)
        await api.http.post("/v1/image/submit", params=asked, headers={"X-API-Key": "r"})
        await api.http.post("/v1/image/analyze", params={**asked, "timeout_s": "soon"}, headers={"X-API-Key": "s"})
        await api.http.get("/v1/jobs")

        counts = {code: api.value("jobs_rejected_total", code=code) for code in Code}

    assert {code: count for code, count in counts.items() if count} == {
        Code.KEY_MISSING: 1, Code.KEY_REFUSED: 1, Code.REQUEST_INVALID: 1,
    }  # fmt: skip


async def test_an_upload_that_stands_still_is_broken_off(start):
    async with start(upload_idle_s=0.05) as api:
        await api.beat()

        async def stalled():
            yield b"abc"
            await asyncio.Event().wait()

        await api.submit(stalled())

        assert api.value("uploads_total", result="broken_off") == 1
        assert api.value("upload_bytes_total") == 3


async def test_an_upload_that_the_store_cannot_accept_is_our_failure(api, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "the store is unavailable")

    monkeypatch.setattr(api.store, "put_stream", broken)

    await api.submit()

    assert api.value("uploads_total", result="failed") == 1
    assert api.value("jobs_rejected_total", code="SERVICE_UNAVAILABLE") == 1


async def test_an_unexpected_fault_is_counted_as_the_500_the_client_sees(api, monkeypatch):
    monkeypatch.setattr(api.state.projection, "page", None)

    answer = await api.http.get("/v1/jobs")

    assert answer.status_code == 500
    assert api.value("requests_total", route="/v1/jobs", method="GET", code="500") == 1


async def test_a_client_that_disconnects_is_499_and_its_upload_broken_off(api):
    messages = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(_message):
        pass

    headers = [(b"content-type", b"video/mp4")]
    scope = {"type": "http", "method": "POST", "path": "/v1/video/submit", "headers": headers, "http_version": "1.1"}
    scope |= {"query_string": b"plugin_id=motion&tool=motion", "scheme": "http", "server": ("api", 80), "root_path": ""}
    await api.app(scope, receive, send)

    assert api.value("requests_total", route="/v1/video/submit", method="POST", code="499") == 1
    assert api.value("uploads_total", result="broken_off") == 1
    assert api.value("jobs_rejected_total", code="REQUEST_INVALID") is None


async def test_open_jobs_and_the_oldest_wait_are_read_at_the_scrape(start, make):
    clock = make.HandClock()
    async with start(clock=clock) as api:
        assert (api.value("jobs_open", status="pending"), api.value("oldest_pending_seconds")) == (0, 0)

        await api.put(make.a_record(created_at=make.NOW - timedelta(seconds=40)))
        await api.put(make.a_record())
        await api.put(make.a_record(status=JobStatus.RUNNING, created_at=make.NOW - timedelta(seconds=90)))
        await api.put(make.a_record(status=JobStatus.COMPLETED))
        clock.passed_s = 2

        assert api.value("jobs_open", status="pending") == 2
        assert api.value("jobs_open", status="running") == 1
        assert api.value("oldest_pending_seconds") == 42
        await eventually(lambda: api.value("projection_lag") == 0)


async def test_the_lag_is_unknown_while_no_feed_is_followed(api):
    api.state.projection._feed = None

    assert math.isnan(api.value("projection_lag"))


async def test_work_that_is_sent_again_is_counted(start, make):
    async with start(resend_after_s=0) as api:
        await api.put(make.a_record())

        await api.state.reconciler().round()

        assert api.value("reconciled_total", reason="work_sent_again") == 1
        assert {api.value("reconciled_total", reason=reason) for reason in Reconciled} == {0, 1}


async def test_a_job_that_no_runner_can_run_is_counted(start, make):
    clock = make.HandClock()
    async with start(clock=clock, judge_after_s=0, absent_plugin_s=1) as api:
        await api.put(make.a_record(plugin_id="gone"))
        reconciler = api.state.reconciler()
        await reconciler.round()
        clock.passed_s = 2

        await reconciler.round()

        assert api.value("reconciled_total", reason="nobody_can_run_it") == 1
        assert api.value("reconciled_total", reason="record_kept") == 1


async def test_no_client_can_make_the_number_of_series_grow(api):
    """Every route by every method is the most there can be; then everything else is thrown at it."""
    paths = [route.path for route in routes_of(JOB_API)]

    async def throw(number: int) -> None:
        for method in METHODS:
            for path in (*paths, f"/nope/{number}", f"/v1/jobs/{number}/nope", f"/v1/plugins/{number}"):
                await api.http.request(method, path.format(job_id=f"{number:032x}"), params={"plugin_id": f"p{number}"})
        await api.submit(plugin_id=f"unknown-{number}", tool=f"tool-{number}")
        await api.submit(tool=f"tool-{number}", filename=f"name-{number}")

    await throw(0)
    await throw(1)
    first = series_of(api.registry)
    for number in range(2, 6):
        await throw(number)

    after = series_of(api.registry)
    assert len(after) == len(first)
    labels = {sample.labels["route"] for family in api.registry.collect() for sample in family.samples
              if "route" in sample.labels}  # fmt: skip
    assert labels == {*paths, "other"}
    assert "unknown-5" not in "\n".join(after)


def test_whatever_is_counted_the_label_sets_stay_closed():
    registry = CollectorRegistry()
    metrics = ApiMetrics(registry)

    for number in range(5000):
        metrics.answered(f"/{number}", f"M{number}", number, 0.1)
        metrics.submitted(f"plugin-{number}", f"kind-{number}")

    plugins = {sample.labels["plugin"] for family in registry.collect() for sample in family.samples
               if "plugin" in sample.labels}  # fmt: skip
    assert len(plugins) == MAX_PLUGINS_NAMED + 1
    assert registry.get_sample_value("forgesyte_api_jobs_submitted_total", {"plugin": "other", "kind": "other"}) == 4900
    assert len(series_of(registry)) < 600


@pytest.mark.slow
async def test_a_registry_can_be_used_again_after_the_service_ended(start):
    async with start() as api:
        registry = api.registry

    assert registry.get_sample_value("forgesyte_api_projection_lag") is None

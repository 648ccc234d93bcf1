"""The app as a whole: keys, health, OpenAPI, and the process it runs in."""

import asyncio
import os
import re
import shutil
import signal
import sys
from types import SimpleNamespace

import httpx
import pytest

from forgesyte_chassis.store.blobs import folder_of
from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.routes import JOB_API, routes_of
from forgesyte_job_api.settings import JobApiSettings
from tests.support import digest_of, eventually
from tests.support.small_disk import small_disk

JOB = "01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60"
PATHS = [(route.method, route.path, route.scope) for route in routes_of(JOB_API)]


@pytest.fixture
def ring():
    keys = tuple(f"{name}:{scope}:{digest_of(name)}" for name, scope in (("reader", "read"), ("sender", "analyze")))
    return KeyRing.from_settings(JobApiSettings(api_keys=keys))


@pytest.mark.parametrize(("method", "path", "scope"), PATHS, ids=lambda value: str(value))
async def test_each_path_asks_for_the_scope_of_the_route_table(start, ring, method, path, scope):
    async with start(keys=ring) as api:
        url = path.format(job_id=JOB)
        answers = {
            name: await api.http.request(method, url, headers={"X-API-Key": name} if name else {})
            for name in ("", "wrong", "reader", "sender")
        }

    status = {name: answer.status_code for name, answer in answers.items()}
    if scope is None:
        assert set(status.values()) == {200}
        return
    holder, other = ("reader", "sender") if scope == "read" else ("sender", "reader")
    assert (status[""], status["wrong"], status[other]) == (401, 401, 403)
    assert status[holder] not in (401, 403)
    assert answers[""].headers["content-type"] == "application/problem+json"
    assert answers[other].json()["code"] == "KEY_REFUSED"


async def test_health_is_healthy_and_counts_plugins_that_can_run(api):
    for path in ("/health", "/v1/health"):
        answer = await api.http.get(path)

        assert answer.status_code == 200
        assert answer.json()["status"] == "healthy"
        assert answer.json()["plugins_loaded"] == 1
        assert set(answer.json()["checks"].values()) == {"ok"}
        assert answer.json()["checks"].keys() == {
            "bus", "storage", "runners", "plugins", "progress", "projection", "reconciler",
        }  # fmt: skip


async def test_the_service_tells_who_it_is_what_it_takes_and_whether_it_needs_a_key(start, ring):
    async with start(keys=ring, max_upload_bytes=1000, max_image_pixels=200, max_side_px=30) as api:
        facts = (await api.http.get("/v1")).json()
        links = [(await api.http.get(facts["links"][name])).status_code for name in ("openapi", "health")]

    assert (facts["name"], facts["keys_required"]) == ("forgesyte", True)
    assert facts["limits"] == {"upload_bytes": 1000, "image_pixels": 200, "video_side_px": 30}
    assert links == [200, 200]


async def test_without_keys_none_is_required(api):
    facts = (await api.http.get("/v1")).json()

    assert facts["keys_required"] is False
    assert facts["version"] == (await api.http.get("/health")).json()["version"]


@pytest.mark.parametrize(("behind_for_s", "status"), [(1.0, "healthy"), (6.0, "degraded")])
async def test_health_calls_the_list_of_jobs_behind_only_after_5_s(api, behind_for_s, status):
    api.state.projection._feed = SimpleNamespace(behind_for_s=behind_for_s)

    report = (await api.http.get("/health")).json()

    assert report["status"] == status
    assert (report["checks"]["projection"] == "ok") is (status == "healthy")


async def test_health_is_degraded_and_still_200_when_bus_and_store_are_unavailable(start, monkeypatch):
    async with start(health_kept_s=0) as api:

        async def broken(_path):
            raise RuntimeError("secret path")

        monkeypatch.setattr(api.store, "size", broken)
        api.server.kill()
        await eventually(lambda: not api.bus.is_connected)

        answer = await api.http.get("/health")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["bus"] != "ok"
        assert "RuntimeError" in answer.json()["checks"]["storage"]
        assert "secret path" not in answer.text


async def test_openapi_tells_of_every_route_with_its_problems_and_examples(api):
    document = (await api.http.get("/openapi.json")).json()

    assert {(method.upper(), path) for path, methods in document["paths"].items() for method in methods} == {
        (method, path) for method, path, _ in PATHS if path != "/openapi.json"
    }
    submit = document["paths"]["/v1/video/submit"]["post"]
    assert {"202", "400", "401", "403", "409", "413", "415", "422", "503"} <= submit["responses"].keys()
    assert set(submit["requestBody"]["content"]) == {"video/*", "application/octet-stream", "multipart/form-data"}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["description"]
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert "application/problem+json" in response["content"], (operation["operationId"], status)


@pytest.mark.slow
async def test_an_unexpected_fault_shows_nothing_of_itself(api, monkeypatch):
    def broken(_query):
        raise RuntimeError("secret")

    monkeypatch.setattr(api.state.projection, "page", broken)

    answer = await api.http.get("/v1/jobs")

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text


@pytest.mark.slow
async def test_the_module_runs_alone_and_stops_with_0_on_sigterm(server, tmp_path):
    env = {
        **os.environ,
        "FORGESYTE_JOB_API_BUS_URL": server.url,
        "FORGESYTE_JOB_API_STORE_URL": str(tmp_path / "store"),
        "FORGESYTE_JOB_API_SCRATCH_DIR": str(tmp_path / "scratch"),
        "FORGESYTE_JOB_API_PORT": "0",
        "FORGESYTE_JOB_API_OPS_PORT": "0",
        "FORGESYTE_JOB_API_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "forgesyte_job_api",
        env=env,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        ports = {}
        async with asyncio.timeout(60):
            while len(ports) < 2:
                line = (await process.stderr.readline()).decode()
                assert line, "it ended before it was ready"
                found = re.search(r'"port": ?(\d+)', line)
                for event in ("service ready", "ops port open"):
                    if event in line and found:
                        ports[event] = found[1]
        async with httpx.AsyncClient(timeout=60) as http:
            health = await http.get(f"http://127.0.0.1:{ports['service ready']}/health")
            assert health.json()["status"] == "healthy"
            metrics = await http.get(f"http://127.0.0.1:{ports['ops port open']}/metrics")
            assert 'forgesyte_api_requests_total{code="200",method="GET",route="/health"} 1.0' in metrics.text
            assert 'forgesyte_api_jobs_open{status="pending"} 0.0' in metrics.text

        process.send_signal(signal.SIGTERM)

        async with asyncio.timeout(60):
            await process.stderr.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_it_refuses_to_listen_beyond_loopback_without_keys(server, tmp_path):
    env = {**os.environ, "FORGESYTE_JOB_API_HOST": "0.0.0.0", "FORGESYTE_JOB_API_BUS_URL": server.url}
    env["FORGESYTE_JOB_API_STORE_URL"] = str(tmp_path / "store")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "forgesyte_job_api", env=env, stderr=asyncio.subprocess.PIPE
    )

    _, said = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 1
    assert b"No API key is configured" in said


class Looked(Exception):
    pass


async def test_survivors_of_a_dead_service_are_ended_before_its_folders_are_swept(start, tmp_path, monkeypatch):
    async def look(_wall):
        raise Looked

    monkeypatch.setattr("forgesyte_job_api.app.end_survivors", look)
    with pytest.raises(Looked):
        async with start(zygote="real"):
            pass

    assert not (tmp_path / "scratch").exists()


async def test_health_tells_that_a_disk_is_below_min_free_bytes_and_submits_are_refused_before_anything_breaks(start):
    async with start(min_free_bytes=1 << 60) as api:
        await api.beat()

        health = (await api.http.get("/health")).json()
        answer = await api.submit()

        assert health["status"] == "degraded"
        assert "kept free" in health["checks"]["storage"]
        assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL")
        assert answer.headers["Retry-After"]
        assert await api.store.list("jobs/") == []


async def test_a_store_folder_that_is_deleted_is_told_and_made_again(start):
    async with start(health_kept_s=0) as api:
        await api.beat()
        folder = folder_of(api.state.settings.store_url)
        shutil.rmtree(folder)

        await eventually(lambda: api.state.disk.fault is not None, what="the watch sees it")
        assert "was deleted" in api.state.disk.check()
        await eventually(folder.is_dir, what="it is made again")
        await eventually(lambda: api.state.disk.fault is None, what="all is well again")
        assert (await api.submit()).status_code == 202


async def test_an_upload_that_meets_a_full_disk_is_refused_as_storage_full(start, tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        async with start(scratch_dir=str(disk.path / "scratch")) as api:
            await api.beat()
            disk.fill()  # the watch looks once a second, so it has not seen that

            answer = await api.submit(bytes(2 << 20))

            assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_FULL")


async def test_health_tells_that_jobs_wait_for_a_runner_beyond_runner_grace_s(start):
    async with start(health_kept_s=0, runner_grace_s=0, judge_runners_after_s=0) as api:
        await api.beat()
        assert (await api.submit()).status_code == 202
        assert (await api.http.get("/health")).json()["status"] == "healthy"

        await api.bus.runners.remove("runner-1")

        async def is_told() -> bool:
            return "no runner lives" in (await api.http.get("/health")).json()["checks"]["runners"]

        await eventually(is_told, what="health tells it")


async def test_health_says_nothing_of_runners_until_the_bus_was_usable_for_judge_runners_after_s(start):
    async with start(health_kept_s=0, runner_grace_s=0, judge_runners_after_s=3600) as api:
        await api.beat()
        assert (await api.submit()).status_code == 202
        await api.bus.runners.remove("runner-1")
        await eventually(lambda: not api.state.catalog.living(), what="no runner lives")

        assert (await api.http.get("/health")).json()["checks"]["runners"] == "ok"

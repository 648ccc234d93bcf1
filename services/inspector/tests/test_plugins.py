"""The routes under /v1/plugins over the real bus."""

import asyncio

import pytest

from forgesyte_chassis.bus import RELOAD
from tests.support import eventually

IN_MODULE_LOOP = pytest.mark.asyncio(loop_scope="module")
HEALTH_FIELDS = (
    "name version description state reason uptime_seconds last_used success_count error_count "
    "last_execution_time_ms avg_execution_time_ms permissions policy runners"
)


async def test_without_runners_the_lists_are_empty_and_every_plugin_is_unknown(inspector):
    assert await inspector.get("/v1/plugins") == []
    assert await inspector.get("/v1/plugins/") == {
        "plugins": [], "total": 0, "available": 0, "failed": 0, "unavailable": 0,
    }  # fmt: skip
    answer = await inspector.http.get("/v1/plugins/motion/health")
    assert answer.status_code == 404
    assert "no runner has reported yet" in answer.json()["detail"]


async def test_list_is_a_flat_array_in_name_order_with_the_broken_ones(inspector, make):
    await inspector.beat(
        "runner-1",
        make.a_plugin("zebra", "FAILED", manifest=None, reason="No module named 'zzz': pip install zzz"),
        make.a_plugin("ocr", "UNAVAILABLE", reason="model file weights.pt is missing"),
        make.a_plugin("busy", "RUNNING"),
        make.a_plugin("loaded", "LOADED"),
        make.a_plugin("ready", "INITIALIZED"),
    )

    listed = await inspector.get("/v1/plugins")

    assert [(each["name"], each["state"]) for each in listed] == [
        ("busy", "RUNNING"),
        ("loaded", "LOADED"),
        ("ocr", "UNAVAILABLE"),
        ("ready", "INITIALIZED"),
        ("zebra", "FAILED"),
    ]
    assert " ".join(listed[0]) == HEALTH_FIELDS
    counted = await inspector.get("/v1/plugins/")
    assert counted.pop("plugins") == listed
    assert counted == {"total": 5, "available": 3, "failed": 1, "unavailable": 1}


async def test_detail_has_everything_and_agrees_with_the_list(inspector, make):
    plugin = make.a_plugin(
        success_count=2,
        error_count=1,
        uptime_seconds=12.34,
        last_used=make.NOW,
        last_execution_time_ms=4.0,
        avg_execution_time_ms=5.0,
        manifest=make.a_manifest(author="A", latency_budget_ms=40),
    )
    await inspector.beat("runner-1", plugin)

    detail = await inspector.get("/v1/plugins/motion")

    assert set(detail) == {"metadata", "health", "timings", "tools", "runners", "generated_at"}
    assert detail["health"] == (await inspector.get("/v1/plugins"))[0] == await inspector.health()
    assert detail["health"]["last_used"] == "2025-01-01T12:00:00.000Z"
    assert detail["health"]["uptime_seconds"] == 12.3
    assert detail["timings"] == {
        "last_execution_time_ms": 4.0, "avg_execution_time_ms": 5.0, "latency_budget_ms": 40.0,
    }  # fmt: skip
    assert detail["metadata"]["capabilities"] == ["motion"]
    assert detail["metadata"]["author"] == "A"
    assert [tool["name"] for tool in detail["tools"]] == ["detect-motion"]
    assert detail["runners"] == [
        {"runner_id": "runner-1", "state": "INITIALIZED", "state_since": None, "reason": None, "policy": None}
    ]
    assert detail["generated_at"].endswith("Z")


async def test_manifest_is_returned_as_the_plugin_wrote_it(inspector, make):
    await inspector.beat()

    assert await inspector.get("/v1/plugins/motion/manifest") == make.a_manifest().model_dump(mode="json")


async def test_plugin_whose_manifest_is_broken_answers_health_200_and_manifest_404_with_the_reason(inspector, make):
    reason = "tools: at least one tool is needed, found none; name one in `tools`"
    await inspector.beat("runner-1", make.a_plugin(state="FAILED", manifest=None, reason=reason))

    health = await inspector.health()
    manifest = await inspector.http.get("/v1/plugins/motion/manifest")
    detail = await inspector.get("/v1/plugins/motion")

    assert (health["state"], health["reason"], health["version"]) == ("FAILED", reason, None)
    assert manifest.status_code == 404
    assert reason in manifest.json()["detail"]
    assert (detail["tools"], detail["metadata"]["version"]) == ([], None)


async def test_best_of_two_runners_is_shown_and_follows_them(inspector, make):
    await inspector.beat("runner-1", make.a_plugin(state="UNAVAILABLE", reason="no GPU", success_count=1))
    await inspector.beat("runner-2", make.a_plugin(state="RUNNING", success_count=2, error_count=1))
    both = await inspector.health()

    await inspector.leave("runner-2")
    one = await inspector.health()

    assert (both["state"], both["reason"], both["success_count"], both["error_count"]) == ("RUNNING", None, 3, 1)
    assert (one["state"], one["reason"], one["success_count"]) == ("UNAVAILABLE", "no GPU", 1)


NAMES = ["ghost", "MOTION", "a.b", "%2e%2e", "motion%0a", "%ff", "%00", "x" * 5000, "*", ">", "'; drop", "плагин"]


@IN_MODULE_LOOP
@pytest.mark.parametrize("path", ["", "/health", "/manifest", "/reload"])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:10])
async def test_unknown_plugin_is_404_with_a_problem_that_names_the_known_ones(shared_inspector, name, path):
    await shared_inspector.beat()

    answer = await shared_inspector.http.request("POST" if path == "/reload" else "GET", f"/v1/plugins/{name}{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (404, "PLUGIN_UNKNOWN")
    assert "motion" in problem["detail"]
    assert len(answer.content) < 1000


@IN_MODULE_LOOP
@pytest.mark.parametrize("path", ["/v1/plugins/motion/", "/v1/plugins/motion/health/", "/v1/runners/", "/v1/plugin"])
async def test_a_wrong_slash_is_not_corrected(shared_inspector, path):
    answer = await shared_inspector.http.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "ROUTE_UNKNOWN")


async def test_reload_reaches_every_runner_and_is_202(inspector):
    heard = []

    async def hear(name, verb):
        heard.append((name, verb))

    await inspector.beat("runner-1")
    await inspector.beat("runner-2")
    async with inspector.bus.control.on_plugin(hear):
        answer = await inspector.http.post("/v1/plugins/motion/reload")
        await eventually(lambda: heard == [("motion", RELOAD)])

    assert answer.status_code == 202
    body = answer.json()
    assert (body["plugin"], body["status"], body["runners"]) == ("motion", "reloading", 2)


async def test_reload_while_the_bus_is_down_is_503_with_retry_after(server, inspector):
    await inspector.beat()
    server.kill()
    await eventually(lambda: not inspector.bus.is_connected)

    answer = await inspector.http.post("/v1/plugins/motion/reload")

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in answer.headers


@pytest.mark.slow
async def test_health_asked_50_times_at_once_while_runners_come_and_go_is_200_and_right(inspector, make):
    await inspector.beat("stays", make.a_plugin(success_count=1))
    seen = []

    async def ask():
        answer = await inspector.http.get("/v1/plugins/motion/health")
        seen.append((answer.status_code, answer.json()["state"], answer.json()["success_count"]))

    for turn in range(4):
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(ask())
            # As a living runner does: on a busy machine the turns take longer than a beat is good for.
            group.create_task(inspector.bus.runners.beat(make.a_heartbeat("stays", make.a_plugin(success_count=1))))
            group.create_task(inspector.beat("comes", make.a_plugin(state="FAILED", reason="broken", success_count=9)))
        if turn % 2:
            await inspector.leave("comes")

    assert len(seen) == 200
    assert set(seen) <= {(200, "INITIALIZED", 1), (200, "INITIALIZED", 10)}

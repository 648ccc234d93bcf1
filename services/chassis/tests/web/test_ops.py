import asyncio
import threading

import httpx
import pytest

from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.metrics import new_registry
from forgesyte_chassis.web.ops import Health, ops_app, serve_ops
from tests.support.waiting import eventually


async def ask(health, path):
    transport = httpx.ASGITransport(ops_app(health, new_registry("chassis")))
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        return await client.get(path)


async def test_livez_answers_whatever_the_checks_say():
    health = Health()
    health.add_check("bus", lambda: "away")

    assert (await ask(health, "/livez")).status_code == 200


async def test_readyz_is_503_until_the_service_says_it_is_ready():
    health = Health()

    before = await ask(health, "/readyz")
    health.set_ready(True)
    after = await ask(health, "/readyz")

    assert (before.status_code, after.status_code) == (503, 200)
    assert before.json()["reasons"] == ["service: starting or draining"]


@pytest.mark.parametrize(("answer", "reason"), [("away for 3 s", "bus: away for 3 s"), (False, "bus: failed")])
async def test_readyz_names_the_check_that_failed(answer, reason):
    health = Health()
    health.set_ready(True)
    health.add_check("storage", lambda: True)
    health.add_check("bus", lambda: answer)

    found = await ask(health, "/readyz")

    assert found.status_code == 503
    assert found.json()["reasons"] == [reason]
    assert found.json()["checks"]["storage"] == "ok"


async def test_metrics_are_what_prometheus_reads():
    answer = await ask(Health(), "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "forgesyte_build_info" in answer.text


async def test_the_ops_port_answers_during_the_drain_and_ends_with_the_group():
    ports, health = [], Health()
    app = ops_app(health, new_registry("chassis"))

    async with asyncio.TaskGroup() as group:
        lifetime = Lifetime(group)
        serving = group.create_task(serve_ops(app, "127.0.0.1", 0, lifetime, on_open=ports.append))
        await eventually(lambda: ports)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", timeout=60) as client:
            lifetime.stop()
            assert (await client.get("/livez")).status_code == 200
            assert (await client.get("/readyz")).status_code == 503
        serving.cancel()

    assert serving.cancelled()


async def test_port_minus_one_switches_the_ops_port_off():
    async with asyncio.TaskGroup() as group:
        await serve_ops(ops_app(Health(), new_registry("chassis")), "127.0.0.1", -1, Lifetime(group))


async def test_an_address_the_ops_port_does_not_know_is_a_problem_document():
    answer = await ask(Health(), "/health")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "ROUTE_UNKNOWN"


async def test_livez_is_silent_while_the_loop_of_the_service_hangs():
    ports: list[int] = []
    go_on = threading.Event()

    async def service() -> None:
        async with asyncio.TaskGroup() as group:
            app = ops_app(Health(), new_registry("chassis"))
            serving = group.create_task(serve_ops(app, "127.0.0.1", 0, Lifetime(group), on_open=ports.append))
            await eventually(lambda: ports, what="the port is open")
            go_on.wait(60)
            go_on.clear()
            await asyncio.to_thread(go_on.wait, 60)
            serving.cancel()

    running = asyncio.get_running_loop().run_in_executor(None, asyncio.run, service())
    await eventually(lambda: ports, what="the port is open")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", timeout=0.3, trust_env=False) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/livez")
        go_on.set()
        answer = await client.get("/livez", timeout=60)

    assert answer.status_code == 200
    go_on.set()
    await running


async def test_the_ops_port_on_loopback_answers_to_names_of_loopback_only():
    ports: list[int] = []
    async with asyncio.TaskGroup() as group:
        app = ops_app(Health(), new_registry("chassis"))
        serving = group.create_task(serve_ops(app, "127.0.0.1", 0, Lifetime(group), on_open=ports.append))
        await eventually(lambda: ports, what="the port is open")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", trust_env=False) as client:
            rebound = await client.get("/metrics", headers={"Host": f"evil.example:{ports[0]}"})
            own = await client.get("/metrics")
        serving.cancel()

    assert (rebound.status_code, own.status_code) == (403, 200)
    assert own.headers["x-content-type-options"] == "nosniff"

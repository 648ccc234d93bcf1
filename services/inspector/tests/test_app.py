"""The app as a whole: keys, the route table, and the process it runs in."""

import asyncio
import os
import re
import signal
import sys

import httpx
import pytest

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.routes import INSPECTOR, routes_of
from forgesyte_inspector.settings import InspectorSettings
from tests.support import digest_of

ROUTES = [(route.method, route.path, route.scope) for route in routes_of(INSPECTOR)]
SCOPES = ("read", "plugins", "admin")


@pytest.fixture
def ring():
    return KeyRing.from_settings(InspectorSettings(api_keys=tuple(f"{s}:{s}:{digest_of(s)}" for s in SCOPES)))


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=lambda value: str(value))
async def test_each_path_asks_for_the_scope_of_the_route_table(start, ring, method, path, scope):
    async with start(keys=ring) as inspector:
        await inspector.beat()
        url = path.format(name="motion")
        status = {
            key: (await inspector.http.request(method, url, headers={"X-API-Key": key} if key else {})).status_code
            for key in ("", "wrong", *SCOPES)
        }

    assert (status.pop(""), status.pop("wrong")) == (401, 401)
    assert status.pop(scope) == (202 if method == "POST" else 200)
    assert set(status.values()) == {403}


GETS = [path for method, path, _ in ROUTES if method == "GET"]


@pytest.mark.parametrize("path", [*GETS, "/v1/plugins/ghost"])
async def test_head_answers_as_get_does_but_without_the_body(inspector, path):
    await inspector.beat()
    url = path.format(name="motion")

    got, head = await inspector.http.get(url), await inspector.http.head(url)

    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]


async def test_app_serves_the_route_table_and_nothing_else(inspector):
    document = inspector.app.openapi()

    assert {(method.upper(), path) for path, methods in document["paths"].items() for method in methods} == {
        (method, path) for method, path, _ in ROUTES
    }
    for path in ("/openapi.json", "/docs", "/redoc", "/", "/metrics"):
        assert (await inspector.http.get(path)).status_code == 404


@pytest.mark.slow
async def test_the_module_runs_alone_and_stops_with_0_on_sigterm(server):
    env = {**os.environ, "FORGESYTE_INSPECTOR_BUS_URL": server.url, "FORGESYTE_INSPECTOR_LOG_FORMAT": "json"}
    env |= {"FORGESYTE_INSPECTOR_PORT": "0", "FORGESYTE_INSPECTOR_OPS_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "forgesyte_inspector", env=env, stderr=asyncio.subprocess.PIPE
    )
    ports = {}
    try:
        async with asyncio.timeout(60):
            while len(ports) < 2:
                line = (await process.stderr.readline()).decode()
                assert line, "it ended before it was ready"
                found = re.search(r'"port": ?(\d+)', line)
                for event in ("service ready", "ops port open"):
                    if event in line and found:
                        ports[event] = found[1]
        async with httpx.AsyncClient(timeout=60) as http:
            listed = await http.get(f"http://127.0.0.1:{ports['service ready']}/v1/plugins")
            ready = await http.get(f"http://127.0.0.1:{ports['ops port open']}/readyz")
            metrics = await http.get(f"http://127.0.0.1:{ports['ops port open']}/metrics")
        assert (listed.json(), ready.status_code) == ([], 200)
        assert 'forgesyte_inspector_runners{state="lost"} 0.0' in metrics.text

        process.send_signal(signal.SIGTERM)

        async with asyncio.timeout(60):
            await process.stderr.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_it_refuses_to_listen_beyond_loopback_without_keys(server):
    env = {**os.environ, "FORGESYTE_INSPECTOR_HOST": "0.0.0.0", "FORGESYTE_INSPECTOR_BUS_URL": server.url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "forgesyte_inspector", env=env, stderr=asyncio.subprocess.PIPE
    )

    _, said = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 1
    assert b"No API key is configured" in said

"""The lifespans behind the edge; then one `forgesyte up` with a broken plugin: every service on its one port, and the
commands that use it."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from forgesyte_chassis.web.server import open_listener
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY
from forgesyte_launcher.stack.apps import Apps
from forgesyte_launcher.stack.edge import serving, url_of
from forgesyte_launcher.stack.page.page_folders import page_folders
from tests.support import Stack, eventually, make_clip, run_forked, running_stack

pytestmark = pytest.mark.slow

BROKEN, GOOD = "broken", "motion-detector"
USABLE = (PluginState.INITIALIZED, PluginState.RUNNING)


def noting(service: str, notes: list[str]) -> FastAPI:
    """An application that notes when its lifespan begins and ends, and answers GET /health."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        notes.append(f"{service} begins")
        try:
            yield
        finally:
            notes.append(f"{service} ends")

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/health", lambda: service)
    return app


async def test_lifespans_begin_in_order_and_end_in_reverse():
    notes: list[str] = []
    apps = Apps({service: noting(service, notes) for service in (JOB_API, INSPECTOR, REALTIME_GATEWAY)})
    listener = open_listener("127.0.0.1", 0)

    async with asyncio.TaskGroup() as group, serving(apps, listener, group), httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{url_of('127.0.0.1', listener)}/health")
        begun = list(notes)

    order = [JOB_API, INSPECTOR, REALTIME_GATEWAY]
    assert answer.json() == JOB_API
    assert begun == [f"{service} begins" for service in order]
    assert notes == [*begun, *(f"{service} ends" for service in reversed(order))]


async def test_a_lifespan_that_fails_ends_everything_with_its_sentence():
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise ForgeSyteError(Code.INTERNAL, "no sandbox here")
        yield

    notes: list[str] = []
    apps = Apps(
        {
            JOB_API: noting(JOB_API, notes),
            INSPECTOR: FastAPI(lifespan=lifespan),
            REALTIME_GATEWAY: noting(REALTIME_GATEWAY, notes),
        }
    )

    with open_listener("127.0.0.1", 0) as listener, pytest.raises(ExceptionGroup) as ending:
        async with asyncio.TaskGroup() as group, serving(apps, listener, group), apps.streams_closed_at_end():
            await asyncio.Event().wait()

    assert [str(error) for error in ending.value.exceptions] == ["INTERNAL: no sandbox here"]
    assert notes == ["job-api begins", "job-api ends"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("edge")
    facts = root / "site" / "broken_plugin-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[forgesyte.plugins]\n{BROKEN} = no_such_module:Plugin\n")
    running = running_stack(root / "data", env={"PYTHONPATH": str(root / "site")})
    with asyncio.Runner() as runner:
        stack = runner.run(running.__aenter__())
        try:
            yield stack
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        yield client


def forgesyte(stack: Stack, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command against the running server."""
    return forgesyte_alone(*map(str, arguments), "--server", stack.url)


def forgesyte_alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_forked("forgesyte_launcher", *arguments, env={**os.environ})


@pytest.mark.parametrize(
    "path",
    ["/health", "/v1/jobs", "/v1/plugins", "/v1/plugins/", f"/v1/plugins/{GOOD}", "/v1/runners", "/v1/realtime"],
)
def test_every_service_answers_on_the_one_port(http, path):
    assert http.get(path).status_code == 200


def test_each_lifespan_was_entered(http):
    assert http.get("/health").json()["checks"]["projection"] == "ok"
    assert len(http.get("/v1/runners").json()) == 1


@pytest.mark.parametrize("document", ["openapi", "asyncapi"])
def test_the_printed_document_is_the_one_a_server_answers(http, document):
    printed = forgesyte_alone(document)

    assert json.loads(printed.stdout) == http.get(f"/{document}.json").json(), printed.stderr


def test_the_printed_message_schemas_are_the_ones_a_server_answers(http):
    printed = json.loads(forgesyte_alone("openapi", "--realtime").stdout)

    protocol = http.get("/v1/realtime").json()
    assert printed == {part: protocol[part] for part in ("server_messages", "client_messages")}


@pytest.mark.parametrize("path", ["/nothing", "/v1/jobs/", "/v1/runners/", "/ws/jobs"])
def test_an_unknown_address_is_a_problem(http, path):
    answer = http.get(path)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (404, "ROUTE_UNKNOWN")


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/no-such-job"])
def test_the_page_is_there_for_people_alone(http, path):
    for_a_program = http.get(path, headers={"Accept": "application/json"})
    for_a_person = http.get(path, headers={"Accept": "text/html"})

    is_built = any((folder / "index.html").exists() for folder in page_folders())
    assert (for_a_program.status_code, for_a_program.json()["code"]) == (404, "ROUTE_UNKNOWN")
    assert for_a_person.headers["content-type"].startswith("text/html") == (is_built or path == "/")
    assert for_a_person.headers["x-frame-options"] == "DENY"
    assert len(for_a_person.headers.get_list("content-security-policy")) == 1
    assert ("script-src 'self'" in for_a_person.headers["content-security-policy"]) == is_built


def test_the_list_of_plugins_with_and_without_a_slash_are_two_answers(http):
    flat, counted = http.get("/v1/plugins").json(), http.get("/v1/plugins/").json()

    assert [plugin["name"] for plugin in flat] == [BROKEN, GOOD]
    assert (counted["total"], counted["available"], counted["failed"]) == (2, 1, 1)


async def test_a_socket_goes_through_and_a_wrong_one_is_refused_with_the_problem(stack):
    socket_url = f"ws{stack.url.removeprefix('http')}"

    async with connect(f"{socket_url}/v1/realtime", proxy=None, open_timeout=60) as socket:
        first = json.loads(await socket.recv())
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{socket_url}/v1/jobs", proxy=None, open_timeout=60)

    assert (first["type"], first["payload"]["plugin"]) == ("metadata", GOOD)
    assert refusal.value.response.status_code == 404
    assert json.loads(refusal.value.response.body)["code"] == "ROUTE_UNKNOWN"
    assert "handshake" not in stack.log.read_text(), "uvicorn logged the refusal as a fault"


def test_a_job_is_followed_over_the_websocket(stack, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=60)

    done = forgesyte(
        stack, "run", clip, "--plugin", GOOD, "--tool", "detect-motion", "--out", tmp_path, "--no-annotated"
    )

    assert done.returncode == 0, done.stderr
    assert "following over WebSocket" in done.stderr
    assert "60/60 frames" in done.stderr


def test_the_plugins_of_the_server_are_listed_with_its_address(stack):
    listed = forgesyte(stack, "plugins", "list")
    as_json = forgesyte(stack, "plugins", "list", "--json")

    assert listed.stderr == f"plugins of {stack.url}:\n"
    assert "no_such_module" in listed.stdout
    states = {plugin["name"]: plugin["state"] for plugin in json.loads(as_json.stdout)}
    assert states[BROKEN] == PluginState.FAILED
    assert states[GOOD] in USABLE


def test_one_plugin_is_shown(stack):
    shown = forgesyte(stack, "plugins", "show", GOOD)
    as_json = forgesyte(stack, "plugins", "show", BROKEN, "--json")
    unknown = forgesyte(stack, "plugins", "show", "no-such")

    assert "detect-motion, track-objects" in shown.stdout
    assert "no_such_module" in json.loads(as_json.stdout)["health"]["reason"]
    assert unknown.returncode == 2
    assert GOOD in unknown.stderr


def test_the_audit_passes_with_a_broken_plugin_that_has_a_reason(stack):
    audited = forgesyte(stack, "plugins", "audit")
    as_json = forgesyte(stack, "plugins", "audit", "--json")

    assert audited.returncode == as_json.returncode == 0, audited.stdout
    assert json.loads(as_json.stdout) == {"server": stack.url, "ok": True, "plugins": 2, "findings": []}


async def test_a_reloaded_plugin_is_usable_afterwards(stack, http):
    done = await asyncio.to_thread(forgesyte, stack, "plugins", "reload", GOOD)

    assert done.stdout == f"1 runner is reloading {GOOD}\n", done.stderr
    await eventually(lambda: state_of(http, GOOD) in USABLE, 60, "usable again")


def state_of(http: httpx.Client, name: str) -> PluginState:
    return PluginState(http.get(f"/v1/plugins/{name}/health").json()["state"])

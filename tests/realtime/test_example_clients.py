"""docs/realtime.md is right: its messages fit the served schemas, and its two clients follow real jobs, even when the
service ends in the middle of a job.
"""

import ast
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from forgesyte_contracts.realtime import CloseCode, MessageType, message_schemas
from tests.realtime.watchers import assert_never_falls, served_schemas
from tests.support import Stack, alive, eventually, make_clip, meeting_point, running_stack
from tests.support.gateway import IN_MODULE_LOOP, Message, is_ending
from tests.support.nats import free_port

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "realtime.md"
PYTHON, JAVASCRIPT = DOCS / "examples" / "realtime_client.py", DOCS / "examples" / "realtime_client.mjs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FRAMES = 40
LINES = 30
LIMIT_S = 150


def node() -> list[str] | None:
    """Return the command that runs a script with WebSocket in this machine's Node; None without one."""
    for command in (["node"], ["node", "--no-warnings", "--experimental-websocket"]):
        test = [*command, "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"]
        if shutil.which("node") and subprocess.run(test, check=False, capture_output=True).returncode == 0:
            return command
    return None


NODE = node()
CLIENTS = [
    pytest.param([sys.executable, "-u", str(PYTHON)], id="python"),
    pytest.param(
        [*(NODE or []), str(JAVASCRIPT)],
        id="javascript",
        marks=pytest.mark.skipif(NODE is None, reason="no node with WebSocket here (22, or 20 with its flag)"),
    ),
]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "data", env={"FORGESYTE_LAUNCHER_DRAIN_S": "2"}) as stack:
        yield stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """One product for all tests of this module that leave it running."""
    async with running_stack(tmp_path_factory.mktemp("shared") / "data") as stack:
        yield stack


class Gated:
    """A job that waits in the middle of its video until the test opens its gate."""

    def __init__(self, folder: Path) -> None:
        self.gate = meeting_point("gate")
        self.clip = make_clip(folder / "clip.mp4", frames=FRAMES)

    async def submit(self, stack: Stack) -> str:
        return await stack.submit(self.clip, "gate", at=FRAMES // 2, gate=str(self.gate))


class Running:
    """One of the page's clients, following a job; each line it prints is a message."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[Message] = []

    async def hear_until(self, is_last) -> None:
        assert self.process.stdout
        async with asyncio.timeout(LIMIT_S):
            while not (self.heard and is_last(self.heard[-1])):
                line = await self.process.stdout.readline()
                assert line, f"the client ended after {self.heard[-1:]}"
                self.heard.append(json.loads(line))

    async def exit_code(self) -> int:
        async with asyncio.timeout(LIMIT_S):
            return await self.process.wait()


@asynccontextmanager
async def client(command: list[str], stack: Stack, job_id: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *command, stack.url, job_id, stdout=subprocess.PIPE, env={**os.environ, "NO_PROXY": "*"}, limit=1 << 22
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_running(message: Message) -> bool:
    return message["type"] == "progress" and message["payload"]["status"] == "running"


def assert_complete(heard: list[Message]) -> None:
    assert [is_ending(message) for message in heard].count(True) == 1
    assert is_ending(heard[-1])
    assert_never_falls([message["payload"]["progress"] for message in heard if message["type"] == "progress"])


@IN_MODULE_LOOP
@pytest.mark.slow
@pytest.mark.parametrize("command", CLIENTS)
async def test_a_client_of_the_page_follows_a_job_and_its_exit_code_is_the_jobs_ending(shared_stack, tmp_path, command):
    stack = shared_stack
    gated = Gated(tmp_path)
    async with client(command, stack, await gated.submit(stack)) as running:
        await running.hear_until(is_running)
        gated.gate.touch()
        await running.hear_until(is_ending)
        assert await running.exit_code() == 0
    assert_complete(running.heard)

    async with client(command, stack, await stack.submit(gated.clip, "raise", at=3)) as running:
        await running.hear_until(is_ending)
        assert await running.exit_code() == 1
    assert "no luck at 3" in running.heard[-2]["payload"]["details"]["message"]


@pytest.mark.long
@pytest.mark.parametrize("command", CLIENTS)
@pytest.mark.parametrize("fault", ["stopped", "killed"])
async def test_a_client_of_the_page_goes_on_when_the_service_is_back(stack, tmp_path, command, fault):
    gated = Gated(tmp_path)
    async with client(command, stack, await gated.submit(stack)) as running:
        await running.hear_until(is_running)
        if fault == "stopped":
            assert await stack.interrupt() == 0
        else:
            tree = stack.kill()
            await eventually(lambda: not alive(tree))
        await stack.start()
        gated.gate.touch()

        await running.hear_until(is_ending)
        assert await running.exit_code() == 0

    assert_complete(running.heard)


WEB_PAGE = """<!doctype html><script type="module">
import {{ watch }} from "/client.mjs";
const heard = [];
const report = (name, what) => fetch(`/${{name}}`, {{ method: "POST", body: JSON.stringify(what) }});
const status = await watch("{server}", "{job_id}", (message) => {{
  if (message.type === "progress" && !heard.some(({{ type }}) => type === "progress")) report("begun", message);
  heard.push(message);
}}).catch(String);
await report("ended", {{ status, heard }});
</script>"""


@asynccontextmanager
async def page_server(page: str, port: int) -> AsyncIterator[tuple[str, dict[str, asyncio.Future[Message]]]]:
    """Serve one page with the client beside it; yield its address and its future reports, by name."""
    reports = {name: asyncio.get_running_loop().create_future() for name in ("begun", "ended")}

    async def take(request: web.Request) -> web.Response:
        reports[request.match_info["name"]].set_result(await request.json())
        return web.Response()

    async def give_page(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    async def give_client(_: web.Request) -> web.Response:
        return web.Response(text=JAVASCRIPT.read_text(), content_type="text/javascript")

    app = web.Application(client_max_size=1 << 26)
    app.router.add_get("/", give_page)
    app.router.add_get("/client.mjs", give_client)
    app.router.add_post("/{name}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}/", reports
    finally:
        await runner.cleanup()


@asynccontextmanager
async def browser(url: str, folder: Path) -> AsyncIterator[None]:
    """Show a page in a headless browser of its own, and leave nothing of it behind."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--no-proxy-server", f"--user-data-dir={folder}", url,
    ]  # fmt: skip
    with (folder.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (Debian: apt-get install chromium)")
async def test_the_javascript_client_follows_a_job_in_a_browser(tmp_path):
    gated, port = Gated(tmp_path), free_port()
    allowed = {"FORGESYTE_LAUNCHER_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}"}
    async with running_stack(tmp_path / "data", env=allowed) as stack:
        page = WEB_PAGE.format(server=stack.url, job_id=await gated.submit(stack))
        async with page_server(page, port) as (url, reports), browser(url, tmp_path / "profile"):
            async with asyncio.timeout(LIMIT_S):
                assert is_running(await reports["begun"])
                gated.gate.touch()
                report = await reports["ended"]

    assert report["status"] == "completed"
    assert_complete(report["heard"])


def examples() -> list[Message]:
    """Every message on the page."""
    return [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    ]


@IN_MODULE_LOOP
@pytest.mark.slow
async def test_every_message_on_the_page_fits_the_schemas_that_are_served(shared_stack):
    schemas = await served_schemas(shared_stack)

    shown = [message for message in examples() if "payload" in message and message["type"] in schemas]

    assert {message["type"] for message in shown} == set(schemas) == set(MessageType)
    for message in shown:
        schemas[message["type"]].validate(message)


def test_the_page_shows_every_client_message_and_every_flat_event():
    types = {message.get("type") for message in examples()}
    flat = [message for message in examples() if "payload" not in message and "job_id" in message]

    assert {"ping", "pong", "subscribe", "unsubscribe"} <= types
    assert {message.get("status") for message in flat} == {None, "completed", "error", "cancelled"}


def test_the_page_explains_every_close_code_and_every_field_of_every_message():
    page = PAGE.read_text()

    assert set(re.findall(r"^\| (\d{4}) \|", page, re.MULTILINE)) >= {str(int(code)) for code in CloseCode}
    for kind, schema in message_schemas().items():
        section = page.partition(f"### {kind}\n")[2].partition("\n### ")[0]
        missing = [name for name in schema["properties"]["payload"]["properties"] if f"`{name}`" not in section]
        assert missing == [], kind


def test_the_clients_are_as_short_as_the_page_promises():
    (function,) = [
        node
        for node in ast.parse(PYTHON.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "watch"
    ]
    script = JAVASCRIPT.read_text().partition("export function watch")[2].partition("\n}\n")[0]

    assert (function.end_lineno or 0) - function.lineno + 1 <= LINES
    assert len(script.splitlines()) + 1 <= LINES

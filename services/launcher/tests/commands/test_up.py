"""The whole product through its command: readiness, kills, Ctrl-C, and what `run` writes."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support import alive, eventually, make_clip, run_forked
from tests.support.stack import command_of

pytestmark = pytest.mark.slow

PLUGIN, TOOL = "motion-detector", "detect-motion"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""An image of one pixel."""

COMMAND = (sys.executable, "-m", "forgesyte_launcher")


class Up:
    """One `forgesyte up` on any free port."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".up.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "up", "--port", "0", "--data-dir", str(data), "--slots", "1"], stdout=log, stderr=log
            )

    async def url(self) -> str:
        return (await eventually(self._ready, 120, f"ready line in {self.log}")).group(1)

    def _ready(self) -> re.Match[str] | None:
        text = self.log.read_text()
        assert self.process.poll() is None, text
        return re.search(r"ready (http://\S+)", text)

    def tree(self) -> list[psutil.Process]:
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def has_child(self, word: str) -> bool:
        """Whether a living child was started with `word` in its command line."""
        children = alive(psutil.Process(self.process.pid).children())
        return any(word in " ".join(command_of(child)) for child in children)


@asynccontextmanager
async def running_up(data: Path):
    up = Up(data)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.kill()
        up.process.wait()


def a_client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=60)


def run_video(video: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return forgesyte("run", video, "--plugin", PLUGIN, "--tool", TOOL, "--out", out, *more)


def forgesyte(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return run_forked("forgesyte_launcher", *map(str, arguments), env={**os.environ, **env})


def rows_in(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory) -> Path:
    """A clip whose analysis takes long enough to be interrupted."""
    return make_clip(tmp_path_factory.mktemp("long") / "clip.mp4", frames=1500, size_wh=(640, 480))


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Up]:
    """One `forgesyte up` for the tests that leave it running; its data folder is `data`."""
    up = Up(tmp_path_factory.mktemp("shared") / "data")
    try:
        asyncio.run(up.url())
        yield up
    finally:
        up.process.kill()
        up.process.wait()


async def test_up_takes_a_job_to_its_end_and_ctrl_c_leaves_nothing(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=40)

    async with running_up(tmp_path / "data") as up:
        url = await up.url()
        done = await asyncio.to_thread(run_video, clip, tmp_path / "out", "--server", url)
        tree = up.tree()
        async with connect(f"ws{url.removeprefix('http')}/v1/realtime", proxy=None, open_timeout=60) as socket:
            await socket.recv()
            up.process.send_signal(signal.SIGINT)
            with pytest.raises(ConnectionClosed) as closed:
                await forever(socket.recv)
        code = await asyncio.to_thread(up.process.wait, 60)

    assert done.returncode == 0, done.stderr
    assert "following over WebSocket" in done.stderr
    assert closed.value.rcvd.code == 1000
    assert [row["frame_index"] for row in rows_in(tmp_path / "out")] == list(range(40))
    assert json.loads((tmp_path / "out" / "result.json").read_text())["status"] == "completed"
    assert code == 0
    assert len(tree) >= 4
    assert alive(tree) == []


async def test_a_killed_launcher_leaves_nothing_and_the_folder_can_be_used_again(tmp_path):
    async with running_up(tmp_path / "data") as up:
        await up.url()
        tree = up.tree()
        up.process.kill()
        up.process.wait()
        await eventually(lambda: not alive(tree), what="everything died with the launcher")

    async with running_up(tmp_path / "data") as again, a_client(await again.url()) as http:
        assert (await http.get("/health")).json()["status"] == "healthy"


async def test_a_second_up_on_the_same_folder_is_refused_and_the_first_goes_on(shared):
    url = await shared.url()

    second = await asyncio.to_thread(forgesyte, "up", "--port", 0, "--data-dir", shared.data)

    assert second.returncode == 1
    assert f"in use by process {shared.process.pid}" in second.stderr
    async with a_client(url) as http:
        assert (await http.get("/health")).is_success


async def test_a_killed_child_comes_back_and_jobs_go_on(shared, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=20)

    url = await shared.url()
    children = psutil.Process(shared.process.pid).children()
    for child in children:
        child.kill()
    await eventually(lambda: not alive(children), what="all died")
    # The zygote is restarted when a job needs it.
    await eventually(lambda: shared.has_child("nats-server") and shared.has_child("plugin_runner"), 60, "both are back")
    async with a_client(url) as http:
        await eventually(partial(is_healthy, http), 60, "the bus is connected again")
    done = await asyncio.to_thread(run_video, clip, tmp_path / "out", "--server", url)

    assert len(children) == 3, "nats-server, runner, job-api's zygote"
    assert done.returncode == 0, done.stderr
    assert len(rows_in(tmp_path / "out")) == 20


async def test_run_needs_no_server_and_leaves_nothing_running(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=30)

    done = await asyncio.to_thread(run_video, clip, tmp_path / "out", "--data-dir", tmp_path / "data")

    assert done.returncode == 0, done.stderr
    assert len(rows_in(tmp_path / "out")) == 30
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"result.json", "rows.jsonl", "annotated.mp4"}
    assert "drawing annotated.mp4" in done.stderr
    assert "frames" in done.stdout
    assert not processes_with(str(tmp_path / "data"))


async def test_run_takes_several_tools_and_omits_the_annotated_video_on_request(shared, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=10)

    more = ("--tool", "track-objects", "--no-annotated", "--server", await shared.url())
    done = await asyncio.to_thread(run_video, clip, tmp_path / "out", *more)

    assert done.returncode == 0, done.stderr
    assert {"detect-motion", "track-objects"} <= rows_in(tmp_path / "out")[0].keys()
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"result.json", "rows.jsonl"}


async def test_run_takes_an_image_to_the_image_route(shared, tmp_path):
    image = tmp_path / "photo.png"
    image.write_bytes(PNG)

    done = await asyncio.to_thread(run_video, image, tmp_path / "out", "--server", await shared.url())

    # No tool of motion-detector takes images, which only the image route says.
    assert done.returncode == 2
    assert "takes video, not image" in done.stderr


async def test_the_folder_of_a_killed_run_is_removed_by_the_next_one(tmp_path, long_clip):
    log = tmp_path / "run.log"
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    command = [*COMMAND, "run", str(long_clip), "--plugin", PLUGIN, "--tool", TOOL, "--out", str(tmp_path / "out")]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)
    await eventually(lambda: "running" in log.read_text(), 60, f"the job runs, in {log}")
    process.kill()
    process.wait()
    (left,) = (tmp_path / "tmp").glob("forgesyte-run-*")
    await eventually(lambda: not processes_with(str(left)), what="its processes are gone")
    os.utime(left, (0, 0))  # make it old; a process that still ran could have changed its time again

    short = make_clip(tmp_path / "short.mp4", frames=5)
    done = await asyncio.to_thread(
        forgesyte, "run", short, "--plugin", PLUGIN, "--tool", TOOL, "--out", tmp_path / "out", TMPDIR=env["TMPDIR"]
    )

    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "tmp").glob("forgesyte-run-*")) == []


async def test_run_of_a_file_that_is_not_a_video_fails_with_the_reason(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("not a video")

    done = await asyncio.to_thread(run_video, text, tmp_path / "out")

    assert done.returncode == 1
    assert "error: " in done.stderr


async def test_run_of_an_unknown_tool_is_a_usage_error_that_names_the_known_ones(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=5)

    done = await asyncio.to_thread(
        forgesyte, "run", clip, "--plugin", PLUGIN, "--tool", "no-such", "--out", tmp_path / "out"
    )

    assert done.returncode == 2
    assert TOOL in done.stderr


async def test_ctrl_c_of_run_ends_with_130_and_leaves_nothing(tmp_path, long_clip):
    command = [*COMMAND, "run", str(long_clip), "--plugin", PLUGIN, "--tool", TOOL, "--out", str(tmp_path / "out")]
    log = tmp_path / "run.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--data-dir", str(tmp_path / "data")], stdout=out, stderr=out)

    await eventually(lambda: "running" in log.read_text(), 60, f"the job runs, in {log}")
    process.send_signal(signal.SIGINT)
    code = await asyncio.to_thread(process.wait, 60)

    assert code == 130, log.read_text()
    assert "cancelling job" in log.read_text()
    assert not processes_with(str(tmp_path / "data"))


async def test_a_plugin_that_cannot_be_loaded_does_not_keep_up_from_being_ready(tmp_path, monkeypatch):
    broken = tmp_path / "site" / "broken_plugin-1.0.dist-info"
    broken.mkdir(parents=True)
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[forgesyte.plugins]\nbroken = no_such_module:Plugin\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    async with running_up(tmp_path / "data") as up, a_client(await up.url()) as http:
        assert (await http.get("/health")).json()["plugins_loaded"] == 1


async def test_the_demo_finds_what_was_drawn(tmp_path):
    done = await asyncio.to_thread(forgesyte, "demo", "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "compared with the ground truth" in done.stdout
    assert str(tmp_path / "out" / "rows.jsonl") in done.stdout
    assert str(tmp_path / "out" / "annotated.mp4") in done.stdout


async def test_jobs_are_listed_shown_fetched_and_not_cancelled_after_their_end(shared, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=10)

    url = await shared.url()
    await asyncio.to_thread(run_video, clip, tmp_path / "out", "--server", url)
    listed = await jobs(url, "list", "--json")
    job_id = json.loads(listed.stdout)[0]["job_id"]
    shown, watched, cancelled = [await jobs(url, verb, job_id) for verb in ("show", "watch", "cancel")]
    none_failed = await jobs(url, "list", "--status", "failed", "--json")
    fetched = await jobs(url, "fetch", job_id, "--out", str(tmp_path / "fetched"))

    assert f"{job_id}" in shown.stdout
    assert watched.stdout == f"{job_id} completed\n"
    assert watched.returncode == 0
    assert cancelled.returncode == 1
    assert "is already completed" in cancelled.stderr
    assert json.loads(none_failed.stdout) == []
    assert fetched.returncode == 0, fetched.stderr
    for name in ("result.json", "rows.jsonl", "annotated.mp4"):
        assert (tmp_path / "fetched" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


async def test_a_job_is_submitted_once_more_from_the_command_line(shared, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=10)
    url = await shared.url()
    await asyncio.to_thread(run_video, clip, tmp_path / "out", "--server", url)
    first = json.loads((await jobs(url, "list", "--json")).stdout)[0]["job_id"]

    retried = await jobs(url, "retry", first)

    assert retried.returncode == 0, retried.stderr
    second = retried.stdout.strip()
    assert second != first
    watched = await jobs(url, "watch", second)
    assert watched.stdout == f"{second} completed\n"


async def test_ctrl_c_of_run_with_another_server_leaves_its_job_running(shared, tmp_path, long_clip):
    log = tmp_path / "run.log"

    url = await shared.url()
    with log.open("wb") as out:
        command = [*COMMAND, "run", str(long_clip), "--plugin", PLUGIN, "--tool", TOOL, "--out", str(tmp_path)]
        process = subprocess.Popen([*command, "--server", url], stdout=out, stderr=out)
    await eventually(lambda: "running" in log.read_text(), 60, f"the job runs, in {log}")
    process.send_signal(signal.SIGINT)
    code = await asyncio.to_thread(process.wait, 60)
    job_id = re.search(r"job (\S+) continues", log.read_text()).group(1)
    async with a_client(url) as http:
        status = (await http.get(f"/v1/jobs/{job_id}")).json()["status"]

    assert code == 130
    assert status in ("running", "completed")
    assert f"forgesyte jobs watch {job_id} --server {url}" in log.read_text()


async def forever(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask until it raises."""
    while True:
        await ask()


async def jobs(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(forgesyte, "jobs", *arguments, "--server", url)


async def is_healthy(http: httpx.AsyncClient) -> bool:
    return (await http.get("/health")).json()["status"] == "healthy"


def processes_with(word: str) -> list[psutil.Process]:
    """Processes that were started with `word` in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(word in text for text in texts):
            found.append(process)
    return alive(found)

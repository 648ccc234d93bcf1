"""The command on a shared machine: odd names, other users, a taken port, plugins that lack things, pipes, hang-ups."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import FORGESYTE, Stack, alive, eventually, make_clip, run_forked, start_forked

pytestmark = pytest.mark.slow

ASCII_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""File names are ASCII for Python here, as in a locale of an older system."""

RUN = (FORGESYTE, "run", "--plugin", "motion-detector", "--tool", "detect-motion")

LACKING = {
    "lacks-package": 'requires = Requires(packages=["no_such_package"])',
    "lacks-gpu": "requires = Requires(gpu=True)",
    "lacks-model": 'requires = Requires(models=[ModelFile(name="weights", path="/no/such/weights.pt")])',
    "asks-too-much": "limits = PluginLimits(memory_bytes=1 << 40)",
    "breaks": "requires = 1 / 0",
}
"""Plugins by name, with what each one has that this machine does not give."""

PLUGIN = """
from forgesyte_sdk import Detections, ModelFile, Plugin, PluginLimits, Requires, Tool


class See(Tool):
    name = "see"
    Output = Detections

    def process_frame(self, frame):
        return Detections(detections=[])


class Lacking(Plugin):
    \"""Lacks something.\"""

    name = "{name}"
    version = "1.0.0"
    tools = (See,)
    {line}
"""


class Box:
    """A running server, whose ops port of choice is taken."""

    def __init__(self, folder: Path) -> None:
        self.plugins = folder / "site"
        _install(self.plugins)
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.env = {
            **ASCII_LOCALE,
            "PYTHONPATH": str(self.plugins),
            "FORGESYTE_LAUNCHER_OPS_PORT": str(self.taken.getsockname()[1]),
        }
        self.stack = Stack(folder / "D\u00e4ten 'a' \"b\" \U0001f4fc", slots=1, env=self.env, is_forked=False)

    def said(self) -> str:
        return self.stack.log.read_text()


def _install(site: Path) -> None:
    about = site / "lacking-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lacking\nVersion: 1.0\n")
    modules = {name: name.replace("-", "_") for name in LACKING}
    lines = [f"{name} = {module}:Lacking" for name, module in modules.items()]
    (about / "entry_points.txt").write_text("\n".join(["[forgesyte.plugins]", *lines, ""]))
    for name, module in modules.items():
        (site / f"{module}.py").write_text(PLUGIN.format(name=name, line=LACKING[name]))


@dataclass(frozen=True)
class Piped:
    """An ended `forgesyte run -`."""

    code: int
    lines: list[str]
    out: Path


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Iterator[Box]:
    """One server for all tests, which start no job of each other's."""
    box = Box(tmp_path_factory.mktemp("box"))
    try:
        asyncio.run(box.stack.start())
        yield box
    finally:
        box.taken.close()
        if box.stack.process and box.stack.process.poll() is None:
            box.stack.process.terminate()
            box.stack.process.wait(60)


@pytest.fixture(scope="module")
def piped(box, tmp_path_factory) -> Piped:
    """What `run` does with a video from a pipe, for a user whose files a group may read."""
    folder = tmp_path_factory.mktemp("piped")
    clip = make_clip(folder / "clip.mp4", frames=20)
    command = [*RUN, "-", "--out", str(folder / "out"), "--server", box.stack.url]
    done = subprocess.run(command, input=clip.read_bytes(), capture_output=True, umask=0o027, timeout=120, check=False)
    return Piped(done.returncode, done.stderr.decode().splitlines(), folder / "out")


def forgesyte(*arguments: object, **env: str):
    return run_forked("forgesyte_launcher", *map(str, arguments), env={**os.environ, **env})


def open_to_others(folder: Path) -> list[Path]:
    """What another user of the machine can read or change, as far as he gets into the folders."""
    found = [folder] if folder.stat().st_mode & 0o006 else []
    for path in folder.iterdir() if folder.stat().st_mode & 0o001 else ():
        mode = path.stat().st_mode
        if path.is_dir():
            found += open_to_others(path)
        elif mode & 0o006:
            found.append(path)
    return found


async def test_a_data_folder_with_a_name_that_is_not_ascii_works_in_an_ascii_locale(box, piped):
    assert piped.code == 0, piped.lines
    assert list(box.stack.data.glob("store/jobs/*/input"))


async def test_no_other_user_reads_anything_in_the_data_folder_while_the_server_runs(box, piped):
    assert piped.code == 0, piped.lines
    assert open_to_others(box.stack.data) == []
    for name in ("nats", "store", "logs", "run"):
        folder = box.stack.data / name
        assert not any(path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))), folder


async def test_the_ops_port_that_was_chosen_is_said(box):
    port = box.taken.getsockname()[1]
    found = re.search(r"health and metrics: (http://127\.0\.0\.1:\d+)/livez", box.said())

    assert "ready" not in box.said()[: found.end()], "the word is the line's that says where to submit"
    assert f"(port {port} cannot be used; FORGESYTE_LAUNCHER_OPS_PORT chooses another)" in box.said()
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{found.group(1)}/readyz")).json()["status"] == "ready"


async def test_plugins_list_without_a_server_says_what_the_server_says_about_unmet_requirements(box):
    local = await asyncio.to_thread(forgesyte, "plugins", "list", "--json", PYTHONPATH=box.env["PYTHONPATH"])
    with_server = await asyncio.to_thread(forgesyte, "plugins", "list", "--json", "--server", box.stack.url)

    here, there = ({one["name"]: one for one in json.loads(answer.stdout)} for answer in (local, with_server))
    assert {name: one["state"] for name, one in here.items()} == {name: one["state"] for name, one in there.items()}
    assert {here[name]["state"] for name in LACKING if name != "breaks"} == {"UNAVAILABLE"}
    assert here["breaks"]["state"] == "FAILED"
    for name in LACKING:  # a server adds what to do on a server
        assert (
            there[name]["reason"] == f"{here[name]['reason']}. Fix this, then reload the plugin or restart the runner"
        )


async def test_run_reads_a_video_from_standard_input(piped):
    assert piped.code == 0, piped.lines
    assert len((piped.out / "rows.jsonl").read_text().splitlines()) == 20


async def test_what_run_writes_for_its_user_keeps_the_users_umask(piped):
    modes = {path.name: path.stat().st_mode & 0o777 for path in (piped.out, *piped.out.iterdir())}

    assert modes == {"out": 0o750, "result.json": 0o640, "rows.jsonl": 0o640, "annotated.mp4": 0o640}


async def test_progress_in_a_pipe_never_goes_back_and_ends_with_completed(piped):
    shown = [line for line in piped.lines if "detect-motion: " in line]
    percents = [int(number) for line in shown for number in re.findall(r"(\d+)%", line)]

    assert percents == sorted(percents)
    assert shown[-1] == "motion-detector detect-motion: completed  100%  20/20 frames"
    assert sum("completed" in line for line in shown) == 1


async def test_ctrl_c_ends_run_that_waits_for_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    log = tmp_path / "run.log"
    command = (*RUN[1:], str(tmp_path / "fifo"), "--out", str(tmp_path / "out"))
    with log.open("wb") as output:
        process = start_forked("forgesyte_launcher", *command, env=dict(os.environ), output=output)
    try:
        await eventually(lambda: "waiting for data from" in log.read_text(), what="it waits")
        process.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(process.wait, 60)
    finally:
        process.kill()
        process.wait()

    assert code == 130, log.read_text()


async def test_a_closed_standard_input_is_no_fault(box):
    command = ["bash", "-c", 'exec "$@" <&-', "-", FORGESYTE, "jobs", "list", "--server", box.stack.url]

    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


async def test_sighup_of_a_closed_terminal_stops_everything_in_order(box):
    tree = box.stack.tree()

    for _ in range(2):
        box.stack.process.send_signal(signal.SIGHUP)
    code = await asyncio.to_thread(box.stack.process.wait, 60)

    assert code == 0, box.said()
    assert alive(tree) == []

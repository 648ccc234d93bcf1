"""Watchers get a live event per frame, while the record is written seldom.

First with a real runner that processes one frame whenever the test allows it; then the gateway alone, with a played
runner.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts import subjects
from tests.support import eventually, make_clip, meeting_point
from tests.support.gateway import hear_until, is_ending, is_frame, joined, serving

TOTAL = 100
STEPPER = """
import threading
from pathlib import Path

from pydantic import BaseModel

from forgesyte_sdk import Plugin, Tool, ToolOptions

class StepOptions(ToolOptions):
    folder: str

class Done(BaseModel):
    index: int

class Step(Tool[StepOptions, Done]):
    name = "step"
    Options = StepOptions
    Output = Done

    def process_frame(self, frame):
        while not (Path(self.options.folder) / str(frame.index + 1)).exists():
            threading.Event().wait(0.002)
        return Done(index=frame.index)

class Stepper(Plugin):
    name = "stepper"
    version = "0.1.0"
    tools = (Step,)
"""


@pytest.fixture
def stepper(tmp_path):
    """Install a plugin that processes a frame once a file with the frame's number, counted from 1, exists."""
    info = tmp_path / "installed" / "stepper_plugin-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stepper-plugin\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[forgesyte.plugins]\nstepper = stepper_plugin:Stepper\n")
    (info.parent / "stepper_plugin.py").write_text(STEPPER)
    return info.parent


@contextmanager
def a_real_runner(folder, installed, bus_url):
    """Start a runner that writes progress only at each 5 points, and no rows before the end."""
    settings = {"bus_url": bus_url, "store_url": folder / "store", "scratch_dir": folder / "scratch", "ops_port": -1}
    settings |= {"slots": 1, "plugins": "stepper", "progress_every_s": 3600, "checkpoint_every_s": 3600}
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path}
    env |= {f"FORGESYTE_RUNNER_{name.upper()}": str(value) for name, value in settings.items()}
    with (folder / "runner.log").open("wb") as log:
        command = [sys.executable, "-m", "forgesyte_plugin_runner"]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
async def written(bus):
    """The records of the plugin stepper, as they are written."""
    seen = []

    async def follow() -> None:
        async with bus.jobs.watch() as feed:
            async for change in feed:
                if change.record is not None and change.record.plugin_id == "stepper":
                    seen.append(change.record)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follow())
        yield seen
        following.cancel()


@pytest.mark.slow
async def test_every_frame_is_sent_while_the_record_is_written_each_5_points(
    server, served, bus, play, stepper, written, tmp_path
):
    steps = meeting_point("steps")
    steps.mkdir()
    clip = make_clip(tmp_path / "clip.mp4", frames=TOTAL).read_bytes()
    facts = {"plugin_id": "stepper", "tools": ("step",), "options": {"step": {"folder": str(steps)}}}
    job = await play(is_claimed=False, **facts)
    await Store.open(str(tmp_path / "store")).put(subjects.input_blob(job.job_id), clip)
    await bus.work.publish(job.job_id, "stepper", "cpu")

    with a_real_runner(tmp_path, stepper, server.url):
        async with served.flat(job.job_id) as socket:
            await eventually(lambda: written and written[-1].decode is not None, 60, "the first frame is decoded")
            heard = []
            for frame in range(1, TOTAL + 1):
                (steps / str(frame)).touch()
                heard += await hear_until(socket, is_frame(frame))
                if frame % 5 == 0 and frame < TOTAL:
                    await eventually(lambda done=frame: written[-1].progress == done, what=f"{frame} % is written")
            heard += await hear_until(socket, is_ending)

    live = [message["current_frame"] for message in heard if "current_frame" in message]
    assert sorted(set(live)) == list(range(live[0], TOTAL + 1))
    assert live[0] <= 1
    assert live == sorted(live)
    assert heard[-1] == {"status": "completed", "job_id": job.job_id}
    frames = [record.current_frame for record in written if record.current_frame is not None]
    assert list(dict.fromkeys(frames)) == list(range(0, TOTAL + 1, 5))
    assert written[-1].progress == 100


async def test_progress_comes_from_the_record_when_nothing_comes_live(served, play):
    """The runner may not know yet that the job is watched."""
    runner = await play()
    async with served.realtime(runner.job_id) as socket:
        await joined(served, runner.job_id)
        await hear_until(socket, is_frame(0))

        for frame in (3, 8, 15):
            await runner.write(frame, 20)
            heard = await hear_until(socket, is_frame(frame))
            assert heard[-1]["seq"] == runner.revision


async def test_a_record_older_than_the_live_messages_makes_no_progress_message(served, play):
    runner = await play()
    async with served.realtime(runner.job_id) as socket:
        await joined(served, runner.job_id)
        await hear_until(socket, is_frame(0))
        await runner.frame(1, 100)
        known = runner.order
        await runner.frame(2, 100)
        await runner.write(1, 100, order=str(known))
        await runner.frame(3, 100)
        heard = await hear_until(socket, is_frame(3))

    frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]
    assert frames == [1, 2, 3]


async def test_a_lease_is_renewed_while_a_client_watches_and_ends_with_it(server, bus, play):
    heard: list[str] = []

    async def note(job_id: str, verb: str) -> None:
        heard.append(f"{verb} {job_id}")

    runner = await play()
    async with bus.control.on_job(note), serving(server, lease_every_s=0.1) as served:
        async with served.flat(runner.job_id):
            await eventually(lambda: heard.count(f"watch {runner.job_id}") >= 3)
        await eventually(lambda: len(served.gateway.watches) == 0)
        other = await play()
        async with served.flat(other.job_id):
            await eventually(lambda: heard.count(f"watch {other.job_id}") >= 3)

    # Leases that were on their way when the first client left come before this one.
    later = heard[heard.index(f"watch {other.job_id}") :]
    assert set(later) == {f"watch {other.job_id}"}

"""A live event a frame reaches who watches, while the record is written seldom.

First with a real runner that goes on a frame at a time when the test says so; then what the gateway makes of both, with
a runner that is played.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from forgesyte_chassis.store.blobs import Store
from forgesyte_contracts import subjects
from tests.support import eventually, make_clip

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
    """Install a plugin that does a frame when a file with its number, counted from 1, is there."""
    info = tmp_path / "installed" / "stepper_plugin-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stepper-plugin\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[forgesyte.plugins]\nstepper = stepper_plugin:Stepper\n")
    (info.parent / "stepper_plugin.py").write_text(STEPPER)
    return info.parent


@contextmanager
def a_real_runner(folder, installed, bus_url):
    """A runner that writes progress at each 5 points alone, and no rows before the end."""
    told = {"bus_url": bus_url, "store_url": folder / "store", "scratch_dir": folder / "scratch", "ops_port": -1}
    told |= {"slots": 1, "plugins": "stepper", "progress_every_s": 3600, "checkpoint_every_s": 3600}
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path}
    env |= {f"FORGESYTE_RUNNER_{name.upper()}": str(value) for name, value in told.items()}
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
    """All records that are written, as they are written."""
    seen = []

    async def follow() -> None:
        async with bus.jobs.watch() as feed:
            async for change in feed:
                if change.record is not None:
                    seen.append(change.record)

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follow())
        yield seen
        following.cancel()


@pytest.mark.slow
async def test_every_frame_is_told_while_the_record_is_written_each_5_points(
    server, served, bus, play, make, stepper, written, tmp_path
):
    steps = tmp_path / "steps"
    steps.mkdir()
    clip = make_clip(tmp_path / "clip.mp4", frames=TOTAL).read_bytes()
    facts = {"plugin_id": "stepper", "tools": ("step",), "options": {"step": {"folder": str(steps)}}}
    job = await play(is_claimed=False, **facts)
    await Store.open(str(tmp_path / "store")).put(subjects.input_blob(job.job_id), clip)
    await bus.work.publish(job.job_id, "stepper", "cpu")

    with a_real_runner(tmp_path, stepper, server.url):
        async with served.flat(job.job_id) as socket:
            await eventually(lambda: written and written[-1].decode is not None, 60, "the first frame is there")
            heard = []
            for frame in range(1, TOTAL + 1):
                (steps / str(frame)).touch()
                heard += await make.hear_until(socket, make.is_frame(frame))
                if frame % 5 == 0 and frame < TOTAL:
                    await eventually(lambda done=frame: written[-1].progress == done, what=f"{frame} % are written")
            heard += await make.hear_until(socket, make.is_ending)

    live = [message["current_frame"] for message in heard if "current_frame" in message]
    assert sorted(set(live)) == list(range(live[0], TOTAL + 1))
    assert live[0] <= 1
    assert live == sorted(live)
    assert heard[-1] == {"status": "completed", "job_id": job.job_id}
    frames = [record.current_frame for record in written if record.current_frame is not None]
    assert list(dict.fromkeys(frames)) == list(range(0, TOTAL + 1, 5))
    assert written[-1].progress == 100


async def test_the_record_alone_tells_progress_when_nothing_comes_live(served, play, make):
    """The runner may not know yet that somebody watches."""
    runner = await play()
    async with served.realtime(runner.job_id) as socket:
        await make.joined(served, runner.job_id)
        await make.hear_until(socket, make.is_frame(0))

        for frame in (3, 8, 15):
            await runner.write(frame, 20)
            heard = await make.hear_until(socket, make.is_frame(frame))
            assert heard[-1]["seq"] == runner.revision


async def test_a_record_behind_the_live_messages_is_not_told_as_progress(served, play, make):
    runner = await play()
    async with served.realtime(runner.job_id) as socket:
        await make.joined(served, runner.job_id)
        await make.hear_until(socket, make.is_frame(0))
        await runner.frame(1, 100)
        known = runner.order
        await runner.frame(2, 100)
        await runner.write(1, 100, order=str(known))
        await runner.frame(3, 100)
        heard = await make.hear_until(socket, make.is_frame(3))

    frames = [message["payload"]["current_frame"] for message in heard if message["type"] == "progress"]
    assert frames == [1, 2, 3]


async def test_a_lease_is_renewed_while_somebody_watches_and_ends_with_them(server, bus, play, make):
    heard: list[str] = []

    async def note(job_id: str, verb: str) -> None:
        heard.append(f"{verb} {job_id}")

    runner = await play()
    async with bus.control.on_job(note), make.serving(server, lease_every_s=0.1) as served:
        async with served.flat(runner.job_id):
            await make.eventually(lambda: heard.count(f"watch {runner.job_id}") >= 3)
        await make.eventually(lambda: len(served.gateway.watches) == 0)
        other = await play()
        async with served.flat(other.job_id):
            await make.eventually(lambda: heard.count(f"watch {other.job_id}") >= 3)

    later = heard[heard.index(f"watch {other.job_id}") :]  # what was on its way when the first one left came before
    assert set(later) == {f"watch {other.job_id}"}

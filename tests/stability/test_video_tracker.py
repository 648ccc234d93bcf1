"""VideoTracker: the rule for a plugin that needs a GPU or a model, kept against trackers that ask for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.plugins import PluginState
from forgesyte_inspector.app import create_app
from forgesyte_inspector.settings import InspectorSettings
from tests.stability.jobs import JobRunner, install, job_runner
from tests.support import eventually

CODE = """
from pathlib import Path

from forgesyte_sdk import ModelFile, Plugin, Requires, Tool, ToolOptions, ToolOutput


class TrackOptions(ToolOptions):
    fails_at: int = -1


class Tracks(ToolOutput):
    tracks: int


class Track(Tool[TrackOptions, Tracks]):
    name = "track"

    def process_frame(self, frame):
        if frame.index == self.options.fails_at:
            raise RuntimeError("the tracker lost its state")
        return Tracks(tracks=frame.index)


class OnGpu(Plugin):
    name = "tracker-on-gpu"
    version = "1.0.0"
    description = "Tracks with a network."
    requires = Requires(gpu=True)
    tools = (Track,)

    def validate(self):
        raise RuntimeError("CUDA error 35: what a library says when its GPU was not checked first")


class WithModel(Plugin):
    name = "tracker-with-model"
    version = "1.0.0"
    requires = Requires(models=(ModelFile(name="weights", path=str(Path(__file__).with_name("weights.onnx"))),))
    tools = (Track,)
"""
TRACKERS = {"tracker_on_gpu": "OnGpu", "tracker_with_model": "WithModel"}
NAMES = [name.replace("_", "-") for name in TRACKERS]
GOOD = b"\x08\x07\x12\x07pytorch" + bytes(64)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def trackers(tmp_path, monkeypatch) -> Path:
    """Both trackers, installed for the runner that the test starts; a GPU that may be here is hidden."""
    folder = tmp_path / "trackers"
    install(folder, "test-trackers", CODE, **TRACKERS)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return folder


@asynccontextmanager
async def inspected(runner: JobRunner) -> AsyncIterator[httpx.AsyncClient]:
    """The inspector's own application over the runner's bus."""
    app = create_app(runner.bus, KeyRing(), InspectorSettings(look_every_s=0.05))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        yield http


async def test_without_a_gpu_it_is_unavailable_and_says_so_before_its_library_does(tmp_path, trackers):
    async with job_runner(tmp_path / "box", *NAMES) as runner:
        shown = await runner.status("tracker-on-gpu")

    assert shown.state is PluginState.UNAVAILABLE
    assert "GPU with CUDA" in shown.reason
    assert "CUDA error 35" not in shown.reason
    assert shown.manifest.description == "Tracks with a network."


async def test_without_its_model_it_is_unavailable_until_the_model_is_there_and_it_is_reloaded(
    tmp_path, trackers, clip
):
    async with job_runner(tmp_path / "box", *NAMES) as runner:
        shown = await runner.status("tracker-with-model")
        assert shown.state is PluginState.UNAVAILABLE
        assert f"{trackers}/weights.onnx (weights) is missing; put it there" in shown.reason

        (trackers / "weights.onnx").write_bytes(GOOD)
        assert (await runner.status("tracker-with-model")).state is PluginState.UNAVAILABLE, "it is sticky"
        await runner.reload("tracker-with-model")

        assert (await runner.until("tracker-with-model", PluginState.INITIALIZED)).reason is None
        record = await runner.done(clip.read_bytes(), "tracker-with-model", "track")
        assert record.status is JobStatus.COMPLETED


async def test_an_error_inside_is_contained(tmp_path, trackers, clip):
    (trackers / "weights.onnx").write_bytes(GOOD)
    async with job_runner(tmp_path / "box", *NAMES) as runner:
        failed = await runner.done(clip.read_bytes(), "tracker-with-model", "track", fails_at=5)
        fine = await runner.done(clip.read_bytes(), "tracker-with-model", "track")

        assert (failed.error_type, failed.attempts[-1].frame) == ("RuntimeError", 5)
        assert "the tracker lost its state" in failed.error_message
        assert fine.status is JobStatus.COMPLETED
        shown = await runner.status("tracker-with-model")
        assert (shown.state, shown.success_count, shown.error_count) == (PluginState.INITIALIZED, 1, 1)


async def test_health_answers_200_with_unavailable_and_its_reason(tmp_path, trackers):
    async with job_runner(tmp_path / "box", *NAMES) as runner, inspected(runner) as http:

        async def known() -> httpx.Response | None:
            answer = await http.get("/v1/plugins/tracker-on-gpu/health")
            return answer if answer.status_code != 404 else None

        answer = await eventually(known, 60, "the inspector has heard of it")

    assert answer.status_code == 200
    assert answer.json()["state"] == "UNAVAILABLE"
    assert "GPU with CUDA" in answer.json()["reason"]

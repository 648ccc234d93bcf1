"""What a page about jobs asks of the whole product, as its user starts it."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.support import Stack, make_clip, meeting_point, running_stack

FRAMES = 30

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path_factory.mktemp("screen") / "data", slots=1) as stack:
        yield stack


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


async def test_a_job_tells_its_file_its_options_and_what_its_dead_sandbox_wrote(stack, clip):
    job_id = await stack.submit(clip, "die", at=3, how="crash")

    job = await stack.ended(job_id)
    listed = (await stack.http.get("/v1/jobs", params={"limit": 1})).json()["jobs"][0]

    assert (job["filename"], job["options"]) == ("clip.mp4", {"die": {"at": 3, "how": "crash"}})
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["crashed", "crashed"]
    assert all("in process_frame" in attempt["log_tail"] for attempt in job["attempts"]), "Python frames of the plugin"
    assert (listed["job_id"], listed["filename"], listed["options"]) == (job_id, "clip.mp4", None)


async def test_who_watches_a_job_is_told_its_stage_and_how_fast_it_is(stack, clip):
    gate = meeting_point("gate")
    job_id = await stack.submit(clip, "gate", at=5, gate=str(gate), pause_ms=100)
    told = []

    async with connect(f"ws{stack.url.removeprefix('http')}/v1/realtime?job_id={job_id}", proxy=None) as socket:
        while not told or told[-1]["status"] == "running":
            message = json.loads(await socket.recv())
            if message["type"] == "progress":
                told.append(message["payload"])
            gate.touch()

    live = [each for each in told if "stage" in each]
    assert {each["stage"] for each in live} >= {"processing", "finishing"}
    assert [each["fps"] for each in live if each.get("fps")], "known half a second after the first frame"
    assert "fps" not in told[-1], "the ending is made from the record"


async def test_the_product_tells_who_it_is_without_a_key(stack):
    facts = (await stack.http.get("/v1")).json()

    assert (facts["name"], facts["keys_required"]) == ("forgesyte", False)
    assert facts["limits"]["upload_bytes"] > facts["limits"]["video_side_px"] > 0

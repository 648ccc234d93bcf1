"""What a page about jobs asks of the whole product, as its user starts it."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from forgesyte_launcher import demo_clip
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


async def test_the_timeline_of_a_job_with_two_tools_agrees_with_its_rows(stack, tmp_path):
    clip = tmp_path / "moving.mp4"
    demo_clip.make_clip(clip)
    query = {"plugin_id": "motion-detector", "tool": ["detect-motion", "track-objects"]}
    sent = await stack.http.post(
        "/v1/video/submit", params=query, content=clip.read_bytes(), headers={"Content-Type": "video/mp4"}
    )
    job_id = sent.json()["job_id"]
    assert (await stack.ended(job_id))["status"] == "completed"

    timeline = (await stack.http.get(f"/v1/jobs/{job_id}/result/timeline", params={"bins": 20})).json()

    rows = await stack.rows(job_id)
    regions = [len(row["detect-motion"]["regions"]) for row in rows]
    tracked = [len(row["track-objects"]["tracked_objects"]) for row in rows]
    assert (timeline["complete"], timeline["bins"], timeline["total_frames"]) == (True, 20, demo_clip.FRAMES)
    classes = {lane["tool"]: lane["detections"] for lane in timeline["lanes"] if lane["kind"] == "class"}
    expected = {"detect-motion": sum(regions), "track-objects": sum(tracked)}
    assert classes == expected
    assert min(expected.values()) > 100
    ids = {box["track_id"] for row in rows for box in row["track-objects"]["tracked_objects"]}
    assert {lane["track_id"] for lane in timeline["lanes"] if lane["kind"] == "track"} == ids


async def test_a_job_is_run_once_more_with_other_options(stack, clip):
    first = await stack.submit(clip, "raise", at=4)
    assert (await stack.ended(first))["status"] == "failed"

    answer = await stack.http.post(f"/v1/jobs/{first}/retry", json={"options": {"at": 1000}})

    assert answer.status_code == 202, answer.text
    second = await stack.ended(answer.json()["job_id"])
    assert (second["status"], second["filename"], second["options"]) == (
        "completed",
        "clip.mp4",
        {"raise": {"at": 1000}},
    )
    assert len(await stack.rows(second["job_id"])) == FRAMES
    assert (await stack.http.get(f"/v1/jobs/{second['job_id']}/input")).content == clip.read_bytes()

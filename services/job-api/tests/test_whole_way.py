"""The whole product, as its user starts it: images answered at once or later, and two tools over one decode."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import Stack, eventually, meeting_point, running_stack

pytestmark = pytest.mark.slow

COLOUR = [10, 20, 200]
SEEN = {"width": 64, "height": 48, "blue_green_red": COLOUR}
FRAMES = 50


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "data") as stack:
        yield stack


@pytest.fixture
def png(tmp_path: Path) -> bytes:
    """A reddish PNG of 64 x 48 pixels."""
    path = tmp_path / "image.png"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), COLOUR, np.uint8), format="bgr24")
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture
def moving(tmp_path: Path) -> bytes:
    """A bright square of 24 pixels that crosses a dark picture."""
    path = tmp_path / "moving.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(FRAMES):
            image = np.full((240, 320, 3), 40, np.uint8)
            if index >= 15:
                x = 10 + 6 * (index - 15)
                image[100:124, x : x + 24] = 220
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture
def avi(tmp_path: Path) -> bytes:
    """A motion JPEG, which browsers do not play."""
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        for index in range(FRAMES):
            grey = np.full((240, 320, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")))
        container.mux(stream.encode())
    return path.read_bytes()


async def analyze(stack: Stack, png: bytes, tool: object, **query: object):
    params = {"plugin_id": "picture", "tool": tool, **query}
    return await stack.http.post("/v1/image/analyze", params=params, content=png, headers={"Content-Type": "image/png"})


async def test_an_image_is_analysed_while_the_client_waits_or_can_be_fetched_later(stack, png, tmp_path):
    gate = meeting_point("gate")
    row = {"frame_index": 0, "timestamp_ms": 0.0, "detections": SEEN}

    # 1. In time: the document is what result gives too.
    in_time = await analyze(stack, png, "measure")
    assert in_time.status_code == 200, in_time.text
    document = in_time.json()
    assert (document["status"], document["total_frames"], document["frames"]) == ("completed", 1, [row])
    assert (await stack.http.get(f"/v1/jobs/{document['job_id']}/result")).json() == document
    job = await stack.job(document["job_id"])
    assert (job["job_type"], job["total_frames"], job["progress"]) == ("image", 1, 100)

    # 2. Too slow: 504 names the job, which goes on.
    late = await analyze(stack, png, "wait", options=json.dumps({"gate": str(gate)}), timeout_s=0.5)
    assert (late.status_code, late.json()["code"]) == (504, "JOB_UNFINISHED"), late.text
    gate.touch()
    ended = await stack.ended(late.json()["job_id"])
    assert ended["status"] == "completed"
    assert (await stack.http.get(late.json()["result_url"])).json()["frames"] == [row]

    # 3. A plugin that raises: a problem with the job's code, the exception's text only in the job.
    raised = await analyze(stack, png, "raise")
    assert (raised.status_code, raised.json()["code"]) == (500, "PLUGIN_ERROR")
    assert "secret" not in raised.text
    assert "the secret of the plugin" in (await stack.job(raised.json()["job_id"]))["error_message"]

    # 4. Two tools share the one row.
    both = await analyze(stack, png, ["measure", "wait"], options=json.dumps({"wait": {"gate": str(gate)}}))
    assert both.json()["frames"] == [{"frame_index": 0, "timestamp_ms": 0.0, "measure": SEEN, "wait": SEEN}]
    assert (await stack.job(both.json()["job_id"]))["job_type"] == "image_multi"


async def test_two_tools_over_one_decode_are_both_in_every_row(stack, moving):
    options = {"detect-motion": {"min_area": 0.001}, "track-objects": {"min_hits": 2}}
    query = {
        "plugin_id": "motion-detector",
        "tool": ["detect-motion", "track-objects"],
        "options": json.dumps(options),
        "filename": "moving.mp4",
    }

    answer = await stack.http.post(
        "/v1/video/submit", params=query, content=moving, headers={"Content-Type": "video/mp4"}
    )

    assert answer.status_code == 202, answer.text
    job = await stack.ended(answer.json()["job_id"])
    assert (job["status"], job["job_type"], job["total_frames"]) == ("completed", "video_multi", FRAMES), job
    assert (job["tools_total"], job["tools_completed"], job["current_tool"]) == (2, 2, None)
    assert set(job["plugin_timings"]) == {
        "motion-detector", "motion-detector.detect-motion", "motion-detector.track-objects",
    }  # fmt: skip
    assert job["decode"]["frames_decoded"] == FRAMES
    rows = await stack.rows(job["job_id"])
    assert [row["frame_index"] for row in rows] == list(range(FRAMES))
    keys = {"frame_index", "timestamp_ms", "detect-motion", "track-objects"}
    assert all(set(row) == keys for row in rows)
    assert any(row["detect-motion"]["regions"] for row in rows)
    tracked = [track["track_id"] for row in rows for track in row["track-objects"]["tracked_objects"]]
    assert len(set(tracked)) == 1, "one square is one track"


async def test_a_browser_gets_the_input_where_it_plays_it_and_a_copy_with_the_same_frames_where_not(stack, moving, avi):
    found, tables = {}, {}
    for name, content in (("moving.mp4", moving), ("old.avi", avi)):
        submitted = await stack.http.post(
            "/v1/video/submit",
            params={"plugin_id": "motion-detector", "tool": "detect-motion", "filename": name},
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        job = await stack.ended(submitted.json()["job_id"])
        assert job["total_frames"] == FRAMES, job
        url = f"/v1/jobs/{job['job_id']}/playable"
        first = await stack.http.get(url)
        assert (first.status_code, first.json()["state"]) == (202, "making"), first.text

        async def is_made(url: str = url) -> bool:
            return (await stack.http.head(url)).status_code != 202

        await eventually(is_made, 60, f"{name} is judged and, if need be, copied")
        found[name] = await stack.http.get(url)
        asked = [await stack.http.get(f"/v1/jobs/{job['job_id']}/frames?of={of}") for of in ("input", "playable")]
        tables[name] = [answer.json()["time_us"] for answer in asked]

    assert {name: one.headers["Forgesyte-Playable"] for name, one in found.items()} == {
        "moving.mp4": "input", "old.avi": "copy",
    }  # fmt: skip
    assert found["moving.mp4"].content == moving
    with av.open(io.BytesIO(found["old.avi"].content)) as container:
        greys = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    assert greys == pytest.approx([4 * index for index in range(FRAMES)], abs=3)
    assert tables["moving.mp4"] == [[index * 40_000 for index in range(FRAMES)]] * 2
    assert tables["old.avi"] == tables["moving.mp4"]

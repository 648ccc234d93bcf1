"""The annotated video of a real job, played by a real browser straight from the service.

The page loads it by HTTP (so the browser itself asks for ranges), seeks, draws the picture to a canvas, plays on, and
reports what it saw to the test. A screenshot alone would show that something is there, not that it moves.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support import running_stack
from tests.support.nats import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CARS = Path(__file__).parents[3] / "shared" / "video" / "car-detection.mp4"
LIMIT_S = 240

pytestmark = [
    pytest.mark.long,
    pytest.mark.shared_video,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (Debian: apt-get install chromium)"),
    pytest.mark.skipif(not CARS.exists(), reason="the real videos are not beside this checkout"),
]

PAGE = """<!doctype html><video id="v" crossorigin muted preload="auto" src="%(video)s"></video><script>
const video = document.getElementById("v");
const seen = {stills: []};
const once = (name) => new Promise((done, fail) => {
  video.addEventListener(name, done, {once: true});
  video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
});
async function still(at) {
  const there = once("seeked");
  video.currentTime = at;
  await there;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  seen.stills.push({at, readyState: video.readyState, png: canvas.toDataURL("image/png").split(",")[1]});
}
async function look() {
  if (video.readyState < 2) await once("loadeddata");
  Object.assign(seen, {width: video.videoWidth, height: video.videoHeight, duration: video.duration});
  for (const at of %(times)s) await still(at);
  video.currentTime = video.duration - 1.5;
  const end = once("ended");
  await video.play();
  await end;
  seen.played = [...Array(video.played.length).keys()].map((i) => [video.played.start(i), video.played.end(i)]);
}
look().catch((error) => { seen.error = String(error); })
  .finally(() => fetch("/report", {method: "POST", body: JSON.stringify(seen)}));
</script>"""


@asynccontextmanager
async def page_server(page: str, port: int) -> AsyncIterator[tuple[str, asyncio.Future[dict]]]:
    """Serve one page and take one report; yield the page's address and the report to come."""
    report: asyncio.Future[dict] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
        body = await reader.readexactly(int(length)) if length else b""
        if head.startswith("post /report") and not report.done():
            report.set_result(json.loads(body))
        text = page.encode() if head.startswith("get / ") else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + text)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}/", report


@asynccontextmanager
async def browser(url: str, folder: Path) -> AsyncIterator[None]:
    """Show a page in a headless browser of its own; nothing of it stays."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={folder}", url,
    ]  # fmt: skip
    with (folder.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=os.environ)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def looked_at(video_url: str, times: list[float], folder: Path, page_port: int) -> dict:
    """What the browser saw of a video; its stills are kept as PNG beside."""
    folder.mkdir()
    page = PAGE % {"video": video_url, "times": json.dumps(times)}
    async with page_server(page, page_port) as (url, report), browser(url, folder / "profile"):
        async with asyncio.timeout(LIMIT_S):
            seen = await report
    for still in seen["stills"]:
        (folder / f"{still['at']}.png").write_bytes(base64.b64decode(still["png"]))
    return seen


async def test_a_browser_plays_the_annotated_video_and_shows_the_boxes_while_it_seeks(tmp_path):
    import cv2

    # The page and the video have different ports; only so may the page read the pixels it shows.
    page_port = free_port()
    env = {"FORGESYTE_LAUNCHER_ALLOWED_ORIGINS": f"http://127.0.0.1:{page_port}"}
    async with running_stack(tmp_path / "data", env=env) as stack:
        answer = await stack.http.post(
            "/v1/video/submit",
            params={"plugin_id": "motion-detector", "tool": ["detect-motion", "track-objects"]},
            content=CARS.read_bytes(),
            headers={"Content-Type": "video/mp4"},
        )
        job_id = answer.json()["job_id"]
        await stack.ended(job_id)
        rows = await stack.rows(job_id)
        empty = next(row for row in rows if not row["track-objects"]["tracked_objects"])
        tracked = [row for row in rows if len(row["track-objects"]["tracked_objects"]) == 1]
        some = [tracked[len(tracked) * part // 4] for part in (1, 2, 3)]
        times = [row["timestamp_ms"] / 1000 + 0.001 for row in (empty, *some)]

        seen = await looked_at(f"{stack.url}/v1/jobs/{job_id}/result?format=mp4", times, tmp_path / "seen", page_port)

    assert "error" not in seen, seen["error"]
    assert (seen["width"], seen["height"]) == (768, 432)
    assert seen["duration"] == pytest.approx(len(rows) * 0.08, abs=0.2)
    assert all(still["readyState"] >= 2 for still in seen["stills"])
    assert seen["played"][-1][1] == pytest.approx(seen["duration"], abs=0.2), "played to the end"
    for row, at in zip(some, times[1:], strict=True):
        (found,) = row["track-objects"]["tracked_objects"]
        image = cv2.imread(str(tmp_path / "seen" / f"{at}.png"))
        left, top, _, bottom = map(round, found["xyxy"])
        line = image[(top + bottom) // 2 - 10 : (top + bottom) // 2 + 10, max(left, 0) : left + 2].astype(int)
        plain = cv2.imread(str(tmp_path / "seen" / f"{times[0]}.png"))
        before = plain[(top + bottom) // 2 - 10 : (top + bottom) // 2 + 10, max(left, 0) : left + 2].astype(int)
        colourful = (line.max(axis=2) - line.min(axis=2)).mean()
        assert colourful > 60, f"the box of frame {row['frame_index']} is drawn in its colour"
        assert (before.max(axis=2) - before.min(axis=2)).mean() < 30, "and is not there in a frame without it"

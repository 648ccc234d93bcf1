"""What a real browser shows of /playable: exactly the frames of the job, at the times of the frame table.

The frames of a clip are told apart by their grey. The page loads it from the service, seeks to each frame of the table,
then plays it all, and notes the timestamp and the grey of each picture that it is given. A seek must give the frame of
the table; what is played (a busy machine leaves some out) must be in the table.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import Stack, brightness_of, eventually, running_stack
from tests.support.clips import rewrap, with_edits, write_clip

from .chromium import CHROMIUM, Page, open_page

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (Debian: apt-get install chromium)"),
]

FRAMES = 12
UNEVEN = [0, 40, 120, 200, 350, 390, 500, 590, 777, 830, 1000, 1200]
LATE = [500 + 40 * index for index in range(FRAMES)]
VP9 = {"deadline": "realtime", "cpu-used": "8"}
CASES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "h264 in mp4": ("a.mp4", "libx264", {}, "input"),
    "h264 at a variable rate": ("a.mp4", "libx264", {"times": UNEVEN}, "input"),
    "h264 that begins late": ("a.mp4", "libx264", {"times": LATE}, "input"),
    "h264 turned": ("a.mp4", "libx264", {"turn": 90}, "input"),
    "h264 whose first frames are hidden": ("a.mp4", "libx264", {}, "input"),
    "h264 with a part cut out": ("a.mp4", "libx264", {"options": {"bf": "0", "g": "1"}}, "copy"),
    "h264 in pieces": ("a.mp4", "libx264", {"layout": "frag_keyframe+empty_moov"}, "input"),
    "vp9 in webm at a variable rate": ("a.webm", "libvpx-vp9", {"options": VP9, "times": UNEVEN}, "input"),
    "vp8 in webm": ("a.webm", "libvpx", {}, "input"),
    "h264 in matroska at a variable rate": ("a.mkv", "libx264", {"times": UNEVEN}, "copy"),
    "h264 in a transport stream": ("a.ts", "libx264", {}, "copy"),
    "hevc": ("a.mp4", "libx265", {}, "copy"),
    "motion jpeg of odd size": ("a.avi", "mjpeg", {"pix_fmt": "yuvj444p", "size_wh": (161, 121)}, "copy"),
    "mpeg-4 turned": ("a.mp4", "mpeg4", {"turn": 90}, "copy"),
}
TICK = 512  # of a frame, which lasts 40 ms
EDITED: dict[str, tuple[Callable[[Path, Path], Path], list[int]]] = {
    "h264 whose first frames are hidden": (partial(rewrap, skip=3), list(range(3, FRAMES))),
    "h264 with a part cut out": (
        lambda whole, cut: with_edits(whole, cut, (240, 0, 1), (160, 8 * TICK, 1)),
        [*range(6), *range(8, FRAMES)],
    ),
}
"""Cases whose file gets another edit list, and the frames that are left."""
LOOK = """(async (url, times_us) => {
  const video = document.createElement("video");
  const once = (name) => new Promise((done, fail) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
  });
  const canvas = new OffscreenCanvas(1, 1), pen = canvas.getContext("2d", {willReadFrequently: true});
  const picture = () => {
    const frame = new VideoFrame(video);
    pen.drawImage(frame, frame.displayWidth / 2, frame.displayHeight / 2, 1, 1, 0, 0, 1, 1);
    const found = [frame.timestamp, pen.getImageData(0, 0, 1, 1).data[0]];
    frame.close();
    return found;
  };
  const seek = async (time_s) => {
    const there = once("seeked"), shown = new Promise((done) => video.requestVideoFrameCallback(done));
    video.currentTime = time_s;
    await Promise.all([there, shown]);
  };
  const sought = [], played = [];
  const is_there = once("loadeddata");
  Object.assign(video, {muted: true, preload: "auto", src: url});
  document.body.append(video);
  await is_there;
  for (const [index, time_us] of times_us.entries()) {
    const next_us = times_us[index + 1] ?? time_us + 20000;
    await seek((time_us + next_us) / 2e6);
    sought.push(picture());
  }
  await seek(0);
  const note = () => { played.push(picture()); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
  const end = once("ended");
  await video.play();
  await end;
  video.remove();
  return {sought, played};
})(%s, %s)"""


async def submitted(stack: Stack, clip: Path) -> str:
    answer = await stack.http.post(
        "/v1/video/submit",
        params={"plugin_id": "motion-detector", "tool": "detect-motion", "filename": clip.name},
        content=clip.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    job = await stack.ended(answer.json()["job_id"])
    return str(job["job_id"])


async def asked_until_made(stack: Stack, url: str):
    async def made():
        answer = await stack.http.get(url)
        return answer if answer.status_code != 202 else None

    return await eventually(made, 60, f"{url} is made")


async def looked_at(stack: Stack, page: Page, case: str, folder: Path) -> dict[str, Any]:
    """What the service says of a case's frames, and what the browser saw of them."""
    name, codec, how, _ = CASES[case]
    folder.mkdir()
    clip = write_clip(folder / name, codec, **how)
    if case in EDITED:
        clip = EDITED[case][0](clip, folder / "edited.mp4")
    url = f"/v1/jobs/{await submitted(stack, clip)}"
    playable = await asked_until_made(stack, f"{url}/playable")
    table = (await asked_until_made(stack, f"{url}/frames?of=playable")).json()
    seen = await page.run(LOOK % (json.dumps(f"{url}/playable"), json.dumps(table["time_us"])))
    return {"kind": playable.headers["Forgesyte-Playable"], **table, **seen}


async def test_a_browser_shows_exactly_the_frames_of_the_job_at_the_times_of_the_table(tmp_path):
    found = {}
    async with (
        running_stack(tmp_path / "data") as stack,
        open_page(tmp_path / "browser", "--autoplay-policy=no-user-gesture-required") as page,
    ):
        await page.go(f"{stack.url}/health")
        for number, case in enumerate(CASES):
            found[case] = await looked_at(stack, page, case, tmp_path / str(number))

    for case, (_, _, _, kind) in CASES.items():
        seen, left = found[case], EDITED[case][1] if case in EDITED else range(FRAMES)
        greys = [brightness_of(index) for index in left]
        assert seen["kind"] == kind, case
        assert seen["frame_index"] == list(range(len(left))), case
        assert [time_us for time_us, _ in seen["sought"]] == seen["time_us"], case
        assert [grey for _, grey in seen["sought"]] == pytest.approx(greys, abs=6), case
        by_time = dict(zip(seen["time_us"], greys, strict=True))
        assert seen["played"], case
        assert all(by_time[time_us] == pytest.approx(grey, abs=6) for time_us, grey in seen["played"]), case

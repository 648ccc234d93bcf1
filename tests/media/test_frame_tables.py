"""Frame tables of the whole product, over files whose frames have known times: the truth that a page looks up.

What is expected are the timestamps that PyAV reads from the file, and the schedule by which the test made it.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import pytest
import pytest_asyncio

from forgesyte_contracts.http.frame_table import FRAMES_TYPE, decode_frame_table
from forgesyte_contracts.ids import new_job_id
from tests.support import Stack, eventually, make_clip, meeting_point, running_stack

from .making import with_matrix
from .schedules import CFR, SIZE_WH, VARIED, Scheduled
from .truth import SIZE_WH as DRAWN_WH
from .truth import draw

PNG = {"Content-Type": "image/png"}
ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Timed:
    """A file, how it is shown, and where its timeline begins.

    Attributes:
        name: of the case.
        make: writes it.
        begins_us: when its first frame is shown.
        steps_ms: when the others are, after the first; None where only PyAV says.
        size_wh: upright.
        rotation: degrees clockwise that make it upright.
    """

    name: str
    make: Callable[[Path], Path]
    begins_us: int = 0
    steps_ms: tuple[float, ...] | None = CFR
    size_wh: tuple[int, int] = SIZE_WH
    rotation: int = 0


def scheduled(name: str, codec: str, kind: str, **how: Any) -> Callable[[Path], Path]:
    return Scheduled(name, codec, kind, **how).make


CASES = [
    Timed("constant", scheduled("constant", "h264 b", "mp4")),
    Timed("variable", scheduled("variable", "h264 b", "mp4", times=VARIED), steps_ms=VARIED),
    Timed("starts at 0.5 s", scheduled("late", "h264 b", "mp4", start_ms=500.0), begins_us=500_000),
    Timed("starts at 0.5 s.mkv", scheduled("late", "h264", "matroska", start_ms=500.0), begins_us=500_000),
    Timed("edit list", scheduled("cut", "h264 b", "mp4", first_shown=7), steps_ms=CFR[:23]),
    Timed("vp9 variable.webm", scheduled("vp9", "vp9", "webm", times=VARIED), steps_ms=VARIED),
    Timed(
        "rotated",
        lambda folder: with_matrix(folder / "a.mp4", (0, 1, -1, 0), lambda image: image.swapaxes(0, 1)[::-1]),
        steps_ms=CFR[:20],
        size_wh=DRAWN_WH,
        rotation=90,
    ),
]


def stated_us(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    return [int(time * 1_000_000 + Fraction(1, 2)) for time in times]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path_factory.mktemp("frames") / "data") as stack:
        yield stack


async def table_of(stack: Stack, job_id: str, **query: object) -> dict[str, Any]:
    """The table as JSON, which the binary form must equal."""
    url = f"/v1/jobs/{job_id}/frames"
    plain = await stack.http.get(url, params=query)
    packed = await stack.http.get(url, params=query, headers={"Accept": FRAMES_TYPE})
    assert plain.status_code == 200, plain.text
    assert decode_frame_table(packed.content, job_id).model_dump(mode="json") == plain.json()
    return plain.json()


@ON_ONE_LOOP
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
async def test_the_table_has_the_times_of_the_file(stack, tmp_path, case: Timed):
    path = case.make(tmp_path)
    stated = stated_us(path)

    job_id = await stack.submit(path, "gate")
    job = await stack.ended(job_id)
    table = await table_of(stack, job_id)

    assert job["status"] == "completed", job["error_message"]
    assert table["time_us"] == stated
    assert table["time_us"][0] == case.begins_us
    assert [time - case.begins_us for time in stated] == pytest.approx([1000 * ms for ms in case.steps_ms], abs=1000)
    assert table["frame_index"] == [row["frame_index"] for row in await stack.rows(job_id)]
    assert (table["complete"], table["attempt"], table["of"]) == (True, 1, "input")
    assert (table["width"], table["height"], table["rotation"]) == (*case.size_wh, case.rotation)
    assert await table_of(stack, job_id, from_frame=3, limit=4) == {
        **table,
        "frame_index": [3, 4, 5, 6],
        "time_us": stated[3:7],
    }


@ON_ONE_LOOP
async def test_a_running_job_has_the_frames_that_are_done(stack, tmp_path):
    gate = meeting_point("gate")
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    job_id = await stack.submit(clip, "gate", at=12, gate=str(gate))

    async def twelve() -> bool:
        answer = await stack.http.get(f"/v1/jobs/{job_id}/frames")
        return len(answer.json()["time_us"]) == 12

    await eventually(twelve, 60, "twelve frames are committed")
    table = await table_of(stack, job_id)  # asked twice over, which only a job that stands still answers alike
    gate.touch()
    await stack.ended(job_id)

    assert table["complete"] is False
    assert table["time_us"] == [40_000 * frame for frame in range(12)]
    assert (await table_of(stack, job_id))["time_us"] == [40_000 * frame for frame in range(30)]


@ON_ONE_LOOP
async def test_an_image_is_one_frame_at_0(stack, tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), draw(3))
    image = (tmp_path / "a.png").read_bytes()
    query = {"plugin_id": "picture", "tool": "measure"}
    answer = await stack.http.post("/v1/image/submit", params=query, content=image, headers=PNG)
    job_id = answer.json()["job_id"]
    await stack.ended(job_id)

    table = await table_of(stack, job_id)

    assert (table["frame_index"], table["time_us"], table["pixel_aspect"]) == ([0], [0], None)
    assert (table["width"], table["height"]) == DRAWN_WH


@ON_ONE_LOOP
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"limit": 0}, 422, "REQUEST_INVALID"),
        ({"limit": 1_000_001}, 422, "REQUEST_INVALID"),
        ({"from_frame": -1}, 422, "REQUEST_INVALID"),
        ({"of": "nothing"}, 422, "REQUEST_INVALID"),
        ({}, 404, "JOB_UNKNOWN"),
    ],
    ids=str,
)
async def test_a_question_without_an_answer_is_refused(stack, query, status, code):
    answer: httpx.Response = await stack.http.get(f"/v1/jobs/{new_job_id()}/frames", params=query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)

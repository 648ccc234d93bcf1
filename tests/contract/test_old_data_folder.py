"""A data folder that commit d3cd0e0 left behind, killed in mid-job, is read and taken up by today's product.

`data/data-folder-d3cd0e0.tar.xz` is that folder (bus and store; logs and scratch left out), with one job of each kind:
completed with one tool and with two, with more warnings than a record holds, over damaged media, failed, cancelled,
running and pending. `data/answers-d3cd0e0.json.xz` holds what that product answered for each of them.
"""

import json
import lzma
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support import Stack, running_stack

DATA = Path(__file__).parent / "data"
ANSWERS: dict[str, dict[str, Any]] = json.loads(lzma.decompress((DATA / "answers-d3cd0e0.json.xz").read_bytes()))
ENDED = [name for name, answer in ANSWERS.items() if answer["record"]["completed_at"]]
INTERRUPTED = [name for name in ANSWERS if name not in ENDED]

NOT_NOTED_OF_MEDIA = ("fps_nominal", "clock", "video_stream", "color", "pixel_aspect", "as_stated")

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def old(tmp_path_factory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(DATA / "data-folder-d3cd0e0.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    async with running_stack(folder / "data", slots=1) as stack:
        yield stack


def test_every_kind_of_job_is_in_the_folder():
    statuses = {answer["record"]["status"] for answer in ANSWERS.values()}

    assert statuses == {"pending", "running", "completed", "failed", "cancelled"}
    assert len(ENDED) == 7


@ON_ONE_LOOP
@pytest.mark.parametrize("name", ENDED)
async def test_an_ended_job_is_answered_as_before(old, name):
    before = ANSWERS[name]

    record = await old.job(before["job_id"], extended=False)
    extended = await old.job(before["job_id"])

    assert {key: record[key] for key in before["record"]} == before["record"]
    expected = before["extended"] | {
        "attempts": [one | {"policy": None, "log_tail": None} for one in before["extended"]["attempts"]],
        "decode": dict.fromkeys(NOT_NOTED_OF_MEDIA) | before["extended"]["decode"],
    }
    assert {key: extended[key] for key in before["extended"]} == expected, "what was not noted then is null"
    assert await old.rows(before["job_id"]) == before["rows"]


@ON_ONE_LOOP
@pytest.mark.parametrize("name", ENDED)
async def test_an_ended_job_is_told_to_have_no_frame_times(old, name):
    before = ANSWERS[name]

    answer = await old.http.get(f"/v1/jobs/{before['job_id']}/frames")

    if before["rows"]:
        text = "was analysed by an older version, which kept no frame times; submit it again"
        assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")
        assert answer.json()["detail"] == f"job {before['job_id']} {text}"
    else:
        assert (answer.status_code, answer.json()["frame_index"]) == (200, [])


@ON_ONE_LOOP
@pytest.mark.parametrize("name", INTERRUPTED)
async def test_an_interrupted_job_ends_with_every_row(old, name):
    before = ANSWERS[name]

    job = await old.ended(before["job_id"])

    assert (job["status"], job["total_frames"]) == ("completed", 30)
    assert [row["frame_index"] for row in await old.rows(before["job_id"])] == list(range(30))
    assert len(job["attempts"]) == len(before["extended"]["attempts"]) + 1


@ON_ONE_LOOP
async def test_all_jobs_are_listed_newest_first(old):
    answer = await old.http.get("/v1/jobs", params={"limit": 100})

    listed = [job["job_id"] for job in answer.json()["jobs"]]
    assert listed == sorted((answer["job_id"] for answer in ANSWERS.values()), reverse=True)

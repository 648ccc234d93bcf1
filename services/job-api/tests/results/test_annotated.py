"""format=mp4: made once by a real sandbox over a real clip, and what happens around the making."""

import asyncio
import io
from contextlib import suppress
from pathlib import Path

import av
import orjson
import pytest

from forgesyte_chassis.store.segments import write_segment
from forgesyte_contracts import moves
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import annotated_blob, input_blob
from forgesyte_job_api.results import workshop
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.messages import Progress
from tests.support import eventually, make_clip

FRAMES = 10
VIDEO = b"what a sandbox has drawn" * 10_000
MP4 = {"format": "mp4"}


class HeldSandbox:
    """Draws when the test lets it, and counts how often it is asked."""

    def __init__(self):
        self.runs = 0
        self.go = asyncio.Event()
        self.outcome = SandboxOutcome(True, {}, None, None, 1.0, "succeeded")
        self.folders = []
        self.specs = []

    async def run(self, order):
        assert order.program == "annotate"
        self.runs += 1
        self.folders.append(order.folder)
        self.specs.append(order.spec)
        order.on_message(Progress(41))
        await self.go.wait()
        (order.folder / order.spec.output).write_bytes(VIDEO)
        return self.outcome


async def ended_job(api, make, tmp_path, *, frames=FRAMES, status="failed", **facts):
    """A job with an input and rows, one region per frame."""
    record = moves.claimed(make.a_record(**facts), "runner-1", make.NOW)
    clip = make_clip(tmp_path / f"{record.job_id}.mp4", frames=FRAMES)
    await api.store.put(input_blob(record.job_id), clip.read_bytes())
    found = {"regions": [{"xyxy": [40, 50, 100, 90], "area": 100.0, "share": 0.1}]}
    if frames:
        rows = [orjson.dumps({"frame_index": n, "timestamp_ms": n * 40.0, "detections": found}) for n in range(frames)]
        await write_segment(api.store, record.job_id, 1, 0, rows)
        record = moves.progressed(record, make.NOW, end_frame=frames)
    if status == "failed":
        record = moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
    return await api.put(record)


def url_of(record):
    return f"/v1/jobs/{record.job_id}/result"


async def test_a_real_sandbox_draws_it_and_a_player_gets_parts_of_it(start, make, tmp_path):
    async with start(zygote="real") as api:
        record = await ended_job(api, make, tmp_path, frames=6)

        whole = await api.http.get(url_of(record), params=MP4)
        part = await api.http.get(url_of(record), params=MP4, headers={"Range": "bytes=4-7"})

        assert whole.status_code == 200, whole.text
        assert whole.headers["Content-Type"] == "video/mp4"
        assert whole.headers["Content-Length"] == str(len(whole.content))
        assert whole.headers["X-Job-Status"] == "failed"
        assert f'filename="{record.job_id}-annotated.mp4"' in whole.headers["Content-Disposition"]
        assert (part.status_code, part.content) == (206, b"ftyp")
        with av.open(io.BytesIO(whole.content)) as container:
            images = [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode(video=0)]
        drawn = [abs(image[70, 40] - image[30, 20]).max() > 40 for image in images]
        assert drawn == [True] * 6 + [False] * 4, "rows so far are drawn, frames behind them are plain"
        assert await api.store.size(annotated_blob(record.job_id)) == len(whole.content)
        assert list(api.state.scratch.path.glob("annotate-*")) == []


async def test_a_running_job_is_409(api, make, tmp_path):
    record = await ended_job(api, make, tmp_path, status="running")

    answer = await api.http.get(url_of(record), params=MP4)

    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_UNFINISHED")


async def test_a_scratch_folder_that_takes_nothing_is_storage_full_and_later_it_is_made(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await ended_job(api, make, tmp_path)
        scratch = api.state.scratch.path
        aside = scratch.rename(scratch.with_name("aside"))

        refused = await api.http.get(url_of(record), params=MP4)
        aside.rename(scratch)
        made = await api.http.get(url_of(record), params=MP4)

        assert (refused.status_code, refused.json()["code"]) == (503, "STORAGE_FULL")
        assert "the scratch folder" in refused.json()["detail"]
        assert made.content == VIDEO


@pytest.mark.parametrize(("job_type", "kind"), [("video_multi", "video"), ("image", "image"), ("image_multi", "image")])
async def test_the_sandbox_is_told_whether_it_is_an_image_and_which_tools_there_are(
    start, make, tmp_path, job_type, kind
):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await ended_job(api, make, tmp_path, job_type=job_type, tools=("a", "b"))

        await api.http.get(url_of(record), params=MP4)

        assert [(spec.kind, list(spec.tools)) for spec in sandbox.specs] == [(kind, ["a", "b"])]


@pytest.mark.parametrize("query", [{"from_frame": 3}, {"limit": 3}], ids=str)
async def test_a_part_of_the_rows_is_refused(api, make, tmp_path, query):
    record = await ended_job(api, make, tmp_path)

    answer = await api.http.get(url_of(record), params=MP4 | query)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert "Range" in answer.json()["detail"]


async def test_several_requests_at_once_share_one_making_and_one_that_disconnects_disturbs_no_other(
    start, make, tmp_path
):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api, asyncio.TaskGroup() as group:
        record = await ended_job(api, make, tmp_path)
        asking = [group.create_task(api.http.get(url_of(record), params=MP4)) for _ in range(5)]
        await eventually(lambda: sandbox.runs == 1)
        asking[0].cancel()
        with suppress(asyncio.CancelledError):
            await asking[0]

        sandbox.go.set()
        answers = [await one for one in asking[1:]]

        assert [(answer.status_code, answer.content) for answer in answers] == [(200, VIDEO)] * 4
        assert sandbox.runs == 1


async def test_it_is_made_to_the_end_when_all_clients_disconnected_and_kept_for_the_next(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api, asyncio.TaskGroup() as group:
        record = await ended_job(api, make, tmp_path)
        alone = group.create_task(api.http.get(url_of(record), params=MP4))
        await eventually(lambda: sandbox.runs == 1)
        alone.cancel()

        sandbox.go.set()
        await eventually(lambda: api.store.size(annotated_blob(record.job_id)))
        answer = await api.http.get(url_of(record), params=MP4)

        assert answer.content == VIDEO
        assert sandbox.runs == 1


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("timeout", Code.PLUGIN_TIMEOUT, 504), ("failed", Code.MEDIA_INVALID, 415), ("released", None, 503)],
)
async def test_what_goes_wrong_is_told_nothing_stays_and_it_can_be_asked_for_again(
    start, make, tmp_path, kind, code, status
):
    sandbox = HeldSandbox()
    sandbox.go.set()
    sandbox.outcome = SandboxOutcome(False, None, "the reason", None, 1.0, kind, code)
    async with start(zygote=sandbox) as api:
        record = await ended_job(api, make, tmp_path)

        refused = await api.http.get(url_of(record), params=MP4)
        sandbox.outcome = SandboxOutcome(True, {}, None, None, 1.0, "succeeded")
        again = await api.http.get(url_of(record), params=MP4)

        assert (refused.status_code, again.status_code) == (status, 200)
        assert refused.json()["detail"] == "the annotated video could not be made: the reason"
        assert list(api.state.scratch.path.glob("annotate-*")) == []


async def test_a_fault_of_ours_shows_no_text_and_ends_no_other_request(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        record = await ended_job(api, make, tmp_path)
        sandbox.run = None  # not callable: a bug

        answer = await api.http.get(url_of(record), params=MP4)
        health = await api.http.get("/health")

        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
        assert "NoneType" not in answer.text
        assert health.json()["status"] == "healthy"


async def test_an_input_that_is_gone_is_404(start, make, tmp_path):
    async with start(zygote=HeldSandbox()) as api:
        record = await ended_job(api, make, tmp_path)
        await api.store.delete(input_blob(record.job_id))

        answer = await api.http.get(url_of(record), params=MP4)

        assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


async def test_too_many_waiting_are_refused_with_429(start, make, tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "MAX_WAITING", 2)
    sandbox = HeldSandbox()
    async with start(zygote=sandbox, annotate_at_once=1) as api, asyncio.TaskGroup() as group:
        records = [await ended_job(api, make, tmp_path) for _ in range(3)]
        asking = [group.create_task(api.http.get(url_of(record), params=MP4)) for record in records[:2]]
        await eventually(lambda: len(api.state.annotated._making) == 2 and sandbox.runs == 1)

        refused = await api.http.get(url_of(records[2]), params=MP4)

        assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "Retry-After" in refused.headers
        assert sandbox.runs == 1, "one at a time"
        sandbox.go.set()
        assert [(await one).status_code for one in asking] == [200, 200]


async def test_a_service_that_stops_gives_up_what_is_being_made_and_leaves_no_scratch(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with asyncio.TaskGroup() as group:
        async with start(zygote=sandbox) as api:
            record = await ended_job(api, make, tmp_path)
            asking = group.create_task(api.http.get(url_of(record), params=MP4))
            await eventually(lambda: sandbox.runs == 1)

        answer = await asking

    assert answer.status_code == 503
    assert [folder for folder in sandbox.folders if Path(folder).exists()] == []


async def test_a_client_that_would_rather_ask_again_is_answered_at_once(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        record = await ended_job(api, make, tmp_path)
        prefer = {"Prefer": "respond-async, wait=5"}

        first = await api.http.get(url_of(record), params=MP4, headers=prefer)
        await eventually(lambda: sandbox.runs == 1)
        later = await api.http.get(url_of(record), params=MP4, headers=prefer)
        sandbox.go.set()
        made = await api.http.get(url_of(record), params=MP4)
        again = await api.http.get(url_of(record), params=MP4, headers=prefer)

        assert first.json() == {"job_id": record.job_id, "state": "making", "progress": None}
        assert (first.status_code, first.headers["Retry-After"]) == (202, "1")
        assert (first.headers["Preference-Applied"], first.headers["X-Job-Status"]) == ("respond-async", "failed")
        assert (later.status_code, later.json()["progress"]) == (202, 41)
        assert [(one.status_code, one.content) for one in (made, again)] == [(200, VIDEO)] * 2
        assert sandbox.runs == 1

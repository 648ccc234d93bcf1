"""GET /playable: judged and made by a real sandbox over real media, and what happens around the making."""

import asyncio
import io
import json

import av
import numpy as np
import psutil
import pytest

from forgesyte_contracts import moves
from forgesyte_contracts.http.frame_table import FRAMES_TYPE, decode_frame_table
from forgesyte_contracts.jobs import DecodeFacts
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import input_blob, playable_blob, playable_facts_blob
from forgesyte_contracts.warnings import JobWarning
from forgesyte_job_api.results import workshop
from forgesyte_job_api.results.faults import FAULT_KEPT_S, LASTING_FAULT_S
from forgesyte_job_api.results.playable import decoded_whole
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from forgesyte_sandbox.shared.messages import Progress
from forgesyte_sandbox.shared.specs import PLAYABLE_RULES
from tests.support import eventually, make_clip

FRAMES = 10
COPY = b"what a sandbox has copied" * 1000
NO = {"media_type": None, "because": "browsers do not play avi files"}
WHOLE = DecodeFacts(frames_decoded=FRAMES, as_stated=True)
MADE = {"frames": FRAMES, "width": 160, "height": 120, "pixel_aspect": "1:1"}


class HeldSandbox:
    """Says that browsers do not play it, copies when the test lets it, and counts how often it is asked."""

    def __init__(self):
        self.programs = []
        self.specs = []
        self.times = range(0, FRAMES * 40_000, 40_000)
        self.go = asyncio.Event()
        self.verdict = SandboxOutcome(True, NO, None, None, 1.0, "succeeded")
        self.outcome = SandboxOutcome(True, MADE, None, None, 1.0, "succeeded")

    async def run(self, order):
        self.programs.append(order.program)
        self.specs.append(order.spec)
        if order.program == "playable":
            return self.verdict
        order.on_message(Progress(41))
        await self.go.wait()
        (order.folder / order.spec.output).write_bytes(COPY)
        (order.folder / order.spec.times).write_bytes(np.array(self.times, "<i8").tobytes())
        return self.outcome


def make_avi(path, *, frames=FRAMES, size_wh=(160, 120)):
    with av.open(str(path), "w") as container:
        video = container.add_stream("mjpeg", rate=25)
        video.width, video.height, video.pix_fmt = *size_wh, "yuvj420p"
        for index in range(frames):
            grey = np.full((size_wh[1], size_wh[0], 3), 10 * index % 250, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")))
        container.mux(video.encode())
    return path


async def a_job(api, make, tmp_path, content=None, *, status="running", **facts):
    record = moves.claimed(make.a_record(**facts), "runner-1", make.NOW)
    if content is None:
        content = make_avi(tmp_path / f"{record.job_id}.avi").read_bytes()
    await api.store.put(input_blob(record.job_id), content)
    if status == "failed":
        record = moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
    return await api.put(record)


def url_of(record):
    return f"/v1/jobs/{record.job_id}/playable"


async def settled(api, record, *, url=None, **request):
    """Ask until it is no longer being made."""
    found = []

    async def has_ended():
        found[:] = [await api.http.get(url or url_of(record), **request)]
        return found[0].status_code != 202

    await eventually(has_ended)
    return found[0]


@pytest.mark.parametrize("status", ["running", "failed"])
async def test_what_browsers_play_is_the_input_itself_also_while_the_job_runs(start, make, tmp_path, status):
    async with start(zygote="real") as api:
        clip = make_clip(tmp_path / "clip.mp4", frames=FRAMES).read_bytes()
        record = await a_job(api, make, tmp_path, clip, status=status)

        first = await api.http.get(url_of(record))
        whole = await settled(api, record)
        part = await api.http.get(url_of(record), headers={"Range": "bytes=4-7"})
        head = await api.http.head(url_of(record))

        assert first.status_code == 202
        assert first.json() == {"job_id": record.job_id, "state": "making", "progress": None}
        assert first.headers["Retry-After"] == "1"
        assert (whole.status_code, whole.headers["Forgesyte-Playable"]) == (200, "input"), whole.text
        assert (whole.headers["Content-Type"], whole.content) == ("video/mp4", clip)
        assert (part.status_code, part.content, part.headers["Forgesyte-Playable"]) == (206, b"ftyp", "input")
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(clip)))
        assert await api.store.size(playable_blob(record.job_id)) is None
        assert list(api.state.scratch.path.glob("playable-*")) == []


async def test_a_real_sandbox_copies_what_browsers_do_not_play(start, make, tmp_path):
    async with start(zygote="real") as api:
        record = await a_job(api, make, tmp_path)

        whole = await settled(api, record)
        part = await api.http.get(url_of(record), headers={"Range": "bytes=4-7"})

        assert (whole.status_code, whole.headers["Forgesyte-Playable"]) == (200, "copy"), whole.text
        assert whole.headers["Content-Type"] == "video/mp4"
        assert f'filename="{record.job_id}.mp4"' in whole.headers["Content-Disposition"]
        assert (part.status_code, part.content) == (206, b"ftyp")
        with av.open(io.BytesIO(whole.content)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == FRAMES
        assert list(api.state.scratch.path.glob("playable-*")) == []


async def test_the_table_of_a_copy_has_the_times_of_the_copy_itself(start, make, tmp_path):
    async with start(zygote="real") as api:
        record = await a_job(api, make, tmp_path)
        url, of = f"/v1/jobs/{record.job_id}/frames", {"of": "playable"}

        first = await api.http.get(url, params=of)
        table = await settled(api, record, url=url, params=of)
        binary = await api.http.get(url, params=of, headers={"Accept": FRAMES_TYPE})
        part = await api.http.get(url, params={**of, "from_frame": 3, "limit": 2})
        copy = await api.http.get(url_of(record))

        assert (first.status_code, first.json()["state"]) == (202, "making")
        with av.open(io.BytesIO(copy.content)) as container:
            times = [round(frame.pts * frame.time_base * 1_000_000) for frame in container.decode(video=0)]
        assert table.json() == {
            "job_id": record.job_id, "of": "playable", "attempt": 1, "complete": True, "width": 160, "height": 120,
            "rotation": 0, "pixel_aspect": "1:1", "frame_index": list(range(FRAMES)), "time_us": times,
        }  # fmt: skip
        assert decode_frame_table(binary.content, record.job_id).model_dump(mode="json") == table.json()
        assert part.json()["time_us"] == times[3:5]
        assert table.headers["ETag"]


async def test_a_file_that_is_damaged_beyond_use_is_415(start, make, tmp_path):
    async with start(zygote="real") as api:
        record = await a_job(api, make, tmp_path, make_avi(tmp_path / "a.avi").read_bytes()[:300], status="failed")

        answer = await settled(api, record)

        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID"), answer.text


async def test_requests_while_it_is_made_make_one_copy_and_tell_how_far_it_is(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        await api.http.get(url_of(record))
        await eventually(lambda: sandbox.programs == ["playable", "playable_copy"])

        answers = await asyncio.gather(*(api.http.get(url_of(record)) for _ in range(5)))
        sandbox.go.set()
        made = await settled(api, record)

        assert [(answer.status_code, answer.json()["progress"]) for answer in answers] == [(202, 41)] * 5
        assert (made.status_code, made.content) == (200, COPY)
        assert sandbox.programs == ["playable", "playable_copy"]


async def test_an_input_that_is_checked_by_decoding_has_the_copy_behind_it_in_one_count(start, make, tmp_path):
    sandbox = HeldSandbox()

    async def run(order):
        if order.program == "playable":
            order.on_message(Progress(50))
        return await HeldSandbox.run(sandbox, order)

    async with start(zygote=sandbox) as api:
        sandbox.run = run
        record = await a_job(api, make, tmp_path)
        await api.http.get(url_of(record))
        await eventually(lambda: sandbox.programs == ["playable", "playable_copy"])

        answer = await api.http.get(url_of(record))

        assert answer.json()["progress"] == 30 + 41 * 70 // 100
        sandbox.go.set()


@pytest.mark.parametrize(
    ("kind", "code", "status", "lifetime_s"),
    [
        ("failed", Code.MEDIA_INVALID, 415, LASTING_FAULT_S),
        ("oom", Code.PLUGIN_OOM, 507, LASTING_FAULT_S),
        ("released", None, 503, FAULT_KEPT_S),
    ],
)
async def test_what_goes_wrong_is_told_to_all_who_ask_for_as_long_as_it_may_last(
    start, make, tmp_path, kind, code, status, lifetime_s
):
    sandbox, clock = HeldSandbox(), make.HandClock()
    sandbox.go.set()
    good, sandbox.outcome = sandbox.outcome, SandboxOutcome(False, None, "the reason", None, 1.0, kind, code)
    async with start(zygote=sandbox, clock=clock) as api:
        record = await a_job(api, make, tmp_path)

        refused = [await settled(api, record) for _ in range(3)]
        tries = len(sandbox.programs)
        clock.passed_s = lifetime_s - 1
        refused.append(await settled(api, record))
        sandbox.outcome = good
        clock.passed_s = lifetime_s + 1
        made = await settled(api, record)

        assert [answer.status_code for answer in refused] == [status] * 4
        assert {answer.json()["detail"] for answer in refused} == {"the playable copy could not be made: the reason"}
        assert tries == 2, "one judgement and one copy"
        assert made.status_code == 200
        assert list(api.state.scratch.path.glob("playable-*")) == []


async def test_a_copy_whose_making_was_killed_before_its_end_is_made_again(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        await api.http.get(url_of(record))
        await eventually(lambda: sandbox.programs == ["playable", "playable_copy"])
    async with start(zygote=sandbox) as api:
        await api.store.put(playable_blob(record.job_id), b"half of it")
        sandbox.go.set()

        answer = await settled(api, record)

        assert (answer.status_code, answer.content) == (200, COPY)
        assert sandbox.programs == ["playable", "playable_copy"] * 2


def whole_job(make, **facts):
    return make.a_record(status="completed", decode=WHOLE, **facts)


async def asked_of(api, record, content=b"media"):
    await api.store.put(input_blob(record.job_id), content)
    await api.put(record)
    return await api.http.get(url_of(record))


async def test_copies_that_wait_refuse_another_copy_and_no_judgement(start, make, tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "MAX_WAITING", 2)
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        first, second, third = [await a_job(api, make, tmp_path) for _ in range(3)]
        begun = [await api.http.get(url_of(record)) for record in (first, second)]
        await eventually(lambda: "playable_copy" in sandbox.programs)

        refused = await api.http.get(url_of(third))
        needs_copy, shown = whole_job(make), whole_job(make)
        judged = await asked_of(api, needs_copy)
        cannot_wait = await settled(api, needs_copy)
        sandbox.verdict = SandboxOutcome(
            True, {"media_type": "video/mp4", "because": None}, None, None, 1.0, "succeeded"
        )
        await asked_of(api, shown)
        played = await settled(api, shown)

        assert [answer.status_code for answer in (*begun, refused, judged)] == [202, 202, 429, 202]
        assert (cannot_wait.status_code, cannot_wait.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "Retry-After" in cannot_wait.headers
        assert (played.status_code, played.headers["Forgesyte-Playable"]) == (200, "input"), played.text
        assert sandbox.programs.count("playable_copy") == 1
        sandbox.go.set()


async def test_an_input_that_is_checked_by_decoding_does_not_wait_for_the_copy_of_another(start, make, tmp_path):
    sandbox = HeldSandbox()
    async with start(zygote=sandbox) as api:
        copied = await a_job(api, make, tmp_path)
        await api.http.get(url_of(copied))
        await eventually(lambda: "playable_copy" in sandbox.programs)
        sandbox.verdict = SandboxOutcome(
            True, {"media_type": "video/mp4", "because": None}, None, None, 1.0, "succeeded"
        )

        shown = await settled(api, await a_job(api, make, tmp_path, status="failed"))

        assert (shown.status_code, shown.headers["Forgesyte-Playable"]) == (200, "input"), shown.text
        assert sandbox.specs[-1].is_known_whole is False
        assert (await api.http.get(url_of(copied))).status_code == 202
        sandbox.go.set()


async def test_one_input_at_a_time_is_checked_by_decoding(start, make, tmp_path):
    sandbox, check = HeldSandbox(), asyncio.Event()
    sandbox.go.set()

    async def run(order):
        outcome = await HeldSandbox.run(sandbox, order)
        await check.wait()
        return outcome

    sandbox.run = run
    async with start(zygote=sandbox) as api:
        records = [await a_job(api, make, tmp_path) for _ in range(3)]
        for record in records:
            await api.http.get(url_of(record))
        await eventually(lambda: bool(sandbox.programs))
        quick = whole_job(make)
        await asked_of(api, quick)
        await eventually(lambda: any(spec.is_known_whole for spec in sandbox.specs))

        assert [spec.is_known_whole for spec in sandbox.specs] == [False, True]
        check.set()
        assert [(await settled(api, record)).status_code for record in records] == [200] * 3


async def test_judgements_that_wait_refuse_another_judgement_and_no_copy(start, make, tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "MAX_WAITING", 2)
    sandbox, judge = HeldSandbox(), asyncio.Event()

    async def run(order):
        await judge.wait()
        return await HeldSandbox.run(sandbox, order)

    sandbox.run = run
    async with start(zygote=sandbox) as api:
        answers = [await asked_of(api, whole_job(make)) for _ in range(3)]
        copied = await api.http.get(url_of(await a_job(api, make, tmp_path)))

        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert copied.status_code == 202
        judge.set()
        sandbox.go.set()


async def test_a_copy_that_has_ended_makes_room_for_another(start, make, tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "MAX_WAITING", 1)
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        made = [await settled(api, await a_job(api, make, tmp_path)) for _ in range(3)]

        assert [answer.status_code for answer in made] == [200] * 3


@pytest.mark.slow
async def test_a_copy_whose_sandbox_is_killed_is_made_again_when_it_is_asked_for_an_hour_later(start, make, tmp_path):
    clock = make.HandClock()
    async with start(zygote="real", clock=clock) as api:
        content = make_avi(tmp_path / "long.avi", frames=400, size_wh=(640, 480)).read_bytes()
        record = await a_job(api, make, tmp_path, content)

        async def is_under_way():
            return (await api.http.get(url_of(record))).json()["progress"]

        await eventually(is_under_way)
        for sandbox in psutil.Process(api.state.zygote.pid).children():
            sandbox.kill()
        killed = await settled(api, record)
        clock.passed_s = LASTING_FAULT_S + 1
        made = await settled(api, record)

        assert (killed.status_code, killed.json()["code"]) == (500, "PLUGIN_CRASH"), killed.text
        assert (made.status_code, made.headers["Forgesyte-Playable"]) == (200, "copy"), made.text
        with av.open(io.BytesIO(made.content)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 400


async def test_what_was_made_is_known_to_a_service_that_started_later(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        await settled(api, record)

    async with start(zygote=sandbox) as api:
        answer = await api.http.get(url_of(record))

        assert (answer.status_code, answer.content) == (200, COPY)
        assert sandbox.programs == ["playable", "playable_copy"]


@pytest.mark.parametrize("rules", [None, PLAYABLE_RULES - 1, PLAYABLE_RULES + 1])
async def test_what_other_rules_have_said_is_not_kept(start, make, tmp_path, rules):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        said = {"shows": "input", "media_type": "video/mp4"} | ({} if rules is None else {"rules": rules})
        await api.store.put(playable_facts_blob(record.job_id), json.dumps(said).encode())

        answer = await settled(api, record)

        assert (answer.status_code, answer.headers["Forgesyte-Playable"]) == (200, "copy"), answer.text


async def test_an_input_that_is_gone_is_404(start, make, tmp_path):
    async with start(zygote=HeldSandbox()) as api:
        record = await a_job(api, make, tmp_path)
        await api.store.delete(input_blob(record.job_id))

        answer = await settled(api, record)

        assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


async def test_a_sandbox_that_names_a_type_that_browsers_run_is_not_believed(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.verdict = SandboxOutcome(True, {"media_type": "text/html", "because": None}, None, None, 1.0, "succeeded")
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)

        answer = await settled(api, record)

        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID")
        assert await api.store.size(playable_facts_blob(record.job_id)) is None


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([0] * FRAMES, id="equal"),
        pytest.param(range(FRAMES - 1), id="too few"),
        pytest.param(range(-1, FRAMES - 1), id="before zero"),
        pytest.param([*range(FRAMES - 1), 2**60], id="beyond any number of JavaScript"),
    ],
)
async def test_a_sandbox_that_leaves_times_of_no_video_is_not_believed(start, make, tmp_path, times):
    sandbox = HeldSandbox()
    sandbox.go.set()
    sandbox.times = times
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)

        answer = await settled(api, record)

        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID")
        assert "no rising times" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="as stated"),
        pytest.param({"decode": None}, False, id="nothing known"),
        pytest.param({"decode": DecodeFacts(frames_decoded=FRAMES)}, False, id="not to the end"),
        pytest.param({"decode": DecodeFacts(frames_decoded=FRAMES, as_stated=False)}, False, id="otherwise"),
        pytest.param({"warnings": (JobWarning(text="a tool's"),), "warnings_dropped": 1}, True, id="with warnings"),
        pytest.param({"status": "failed"}, True, id="in a job that failed afterwards"),
    ],
)
def test_a_job_is_believed_to_have_decoded_all_as_its_decoder_says(make, changes, expected):
    record = make.a_record(**{"status": "completed", "decode": WHOLE, **changes})

    assert decoded_whole(record) is expected


async def test_the_sandbox_is_told_which_stream_and_what_kind(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path, job_type="image", video_stream=2)

        answer = await settled(api, record)

        assert answer.headers["Content-Type"] == "image/png", answer.text
        assert [(spec.kind, spec.video_stream) for spec in sandbox.specs] == [("image", 2)] * 2


async def test_a_copy_that_other_rules_asked_for_is_kept(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        await settled(api, record)
        facts = json.loads(await api.store.get(playable_facts_blob(record.job_id)))
        earlier = json.dumps({**facts, "rules": PLAYABLE_RULES - 1})
        await api.store.put(playable_facts_blob(record.job_id), earlier.encode())

        again = await api.http.get(url_of(record))

        assert (again.status_code, again.content) == (200, COPY)
        assert sandbox.programs == ["playable", "playable_copy"]


async def test_a_copy_that_was_lost_is_made_again(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)
        await settled(api, record)
        await api.store.delete(playable_blob(record.job_id))

        again = await settled(api, record)

        assert (again.status_code, again.content) == (200, COPY)
        assert sandbox.programs == ["playable", "playable_copy"] * 2


async def test_an_exception_of_our_own_code_is_told_in_the_log_alone(start, make, tmp_path):
    sandbox = HeldSandbox()
    sandbox.go.set()
    sandbox.outcome = SandboxOutcome(False, None, "avcodec_open2() failed", None, 1.0, "failed", Code.PLUGIN_ERROR)
    async with start(zygote=sandbox) as api:
        record = await a_job(api, make, tmp_path)

        answer = await settled(api, record)

        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
        assert "avcodec" not in answer.text


async def test_an_input_without_a_name_is_saved_under_the_id_and_the_ending_of_its_type(start, make, tmp_path):
    async with start(zygote="real") as api:
        clip = make_clip(tmp_path / "clip.mp4", frames=FRAMES).read_bytes()
        record = await a_job(api, make, tmp_path, clip)

        answer = await settled(api, record)

        assert f'filename="{record.job_id}.mp4"' in answer.headers["Content-Disposition"]

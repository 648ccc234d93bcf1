"""How the sandbox's verdict about an upload reaches the client, and that a refused upload leaves nothing anywhere."""

import asyncio
from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.parent.outcome import SandboxOutcome
from tests.support import eventually, job_ids

GOOD = {
    "codec": "vp9", "fps": 29.97, "fps_nominal": 29.97, "video_stream": 1, "rotation": 90, "width": 480, "height": 640,
    "frames": 7, "frames_exact": True,
}  # fmt: skip


def an_outcome(kind: str, **facts) -> SandboxOutcome:
    return SandboxOutcome(**{
        "ok": kind == "succeeded", "result": None, "error": None, "error_type": None, "execution_time_ms": 1.0,
        "kind": kind, **facts,
    })  # fmt: skip


class Sandbox:
    """A fake zygote: returns the given outcomes, one per run, and then the last one again and again."""

    def __init__(self, *outcomes: SandboxOutcome) -> None:
        self.outcomes = list(outcomes)
        self.specs = []

    async def run(self, order):
        assert order.program == "probe"
        self.specs.append({**order.spec.to_dict(), "bytes": Path(order.spec.input).read_bytes()})
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


async def assert_nothing_is_left(api, tmp_path) -> None:
    """Neither in the store's folder, nor in scratch, nor on the bus."""
    assert [str(path) for path in (tmp_path / "store").rglob("*") if path.name != "jobs"] == []
    scratch = [path.name for path in (tmp_path / "scratch").rglob("*")]
    assert [name for name in scratch if name != "lock" and not name.startswith("job-api-")] == []
    assert await job_ids(api.bus) == []


REFUSED = {
    "invalid": (an_outcome("failed", code=Code.MEDIA_INVALID, error="It is a text."), 415, "MEDIA_INVALID", "a text"),
    "too large": (
        an_outcome("failed", code=Code.MEDIA_TOO_LARGE, error="20000 px, at most 8192"), 413, "MEDIA_TOO_LARGE", "8192",
    ),
    "no such stream": (
        an_outcome("failed", code=Code.REQUEST_INVALID, error="video_stream is 7"), 422, "REQUEST_INVALID", "is 7",
    ),
    "timeout": (an_outcome("timeout", code=Code.PLUGIN_TIMEOUT, error="x"), 415, "MEDIA_INVALID", "longer than 10 s"),
    "oom": (an_outcome("oom", code=Code.PLUGIN_OOM, error="x"), 415, "MEDIA_INVALID", "1024 MiB"),
    "crash": (an_outcome("crashed", code=Code.PLUGIN_CRASH, error="SIGSEGV"), 415, "MEDIA_INVALID", "crash"),
    "an exception": (
        an_outcome("failed", code=Code.PLUGIN_ERROR, error="secret", error_type="KeyError"),
        415, "MEDIA_INVALID", "no picture could be decoded",
    ),
    "nonsense as facts": (
        an_outcome("succeeded", result={"width": "broad"}), 415, "MEDIA_INVALID", "no picture could be decoded",
    ),
    "no zygote, twice": (an_outcome("released"), 503, "SERVICE_UNAVAILABLE", "again"),
}  # fmt: skip


@pytest.mark.parametrize("form", [False, True], ids=["raw", "form"])
@pytest.mark.parametrize(("outcome", "status", "code", "said"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_upload_gets_a_sentence_and_leaves_nothing(
    start, make, tmp_path, outcome, status, code, said, form
):
    async with start(zygote=Sandbox(outcome)) as api:
        await api.beat()

        if form:
            body = make.form([("plugin_id", "motion"), ("tool", "motion")], ("video", "a.mp4", b"some video"))
            answer = await api.http.post("/v1/video/submit", content=body, headers=make.FORM)
        else:
            answer = await api.submit()

        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in answer.json()["detail"]
        assert "secret" not in answer.text
        await assert_nothing_is_left(api, tmp_path)


async def test_a_refusal_made_by_us_says_what_is_accepted(start):
    async with start(zygote=Sandbox(an_outcome("crashed"))) as api:
        await api.beat()

        answer = await api.submit()

        assert "expected a video" in answer.json()["detail"]


async def test_the_probe_sees_the_upload_and_its_facts_go_into_the_record(start, tmp_path):
    sandbox = Sandbox(an_outcome("released"), an_outcome("succeeded", result=GOOD))
    async with start(zygote=sandbox, max_side_px=99, max_image_pixels=77, max_frames=5, decode_memory_bytes=3) as api:
        await api.beat()

        answer = await api.submit(b"some video", filename="a.mp4", video_stream=1)

        assert answer.status_code == 202, answer.text
        assert sandbox.specs[1] | {"input": 0} == {
            "input": 0,
            "bytes": b"some video",
            "kind": "video",
            "size_bytes": 10,
            "holes": (),
            "video_stream": 1,
            "media": {"max_side_px": 99, "max_image_pixels": 77, "max_frames": 5, "decode_memory_bytes": 3},
        }
        extended = (await api.http.get(f"/v1/jobs/{answer.json()['job_id']}/extended")).json()
        assert extended["decode"] == {
            "frames_decoded": 0, "frames_corrupt": 0, "frames_skipped": 0,
            "codec": "vp9", "fps": 29.97, "fps_nominal": 29.97, "clock": None, "video_stream": 1, "color": None,
            "rotation": 90, "width": 480, "height": 640, "pixel_aspect": None, "as_stated": None,
        }  # fmt: skip
        assert extended["total_frames"] is None
        assert [path.name for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == ["lock", "lock"]


class SlowSandbox(Sandbox):
    """Holds every run until the test lets it go on, and counts how many are under way."""

    def __init__(self) -> None:
        super().__init__(an_outcome("succeeded", result=GOOD))
        self.running = self.most = 0
        self.gate = asyncio.Event()

    async def run(self, _order):
        self.running += 1
        self.most = max(self.most, self.running)
        await self.gate.wait()
        self.running -= 1
        return self.outcomes[0]


async def test_no_more_uploads_are_looked_at_at_once_than_the_setting_allows(start):
    sandbox = SlowSandbox()
    async with start(zygote=sandbox, probes_at_once=2) as api, asyncio.TaskGroup() as group:
        await api.beat()
        answers = [group.create_task(api.submit()) for _ in range(5)]
        await eventually(lambda: sandbox.running == 2)

        sandbox.gate.set()

    assert [task.result().status_code for task in answers] == [202] * 5
    assert sandbox.most == 2


async def test_an_upload_whose_turn_does_not_come_is_told_to_come_back(start, tmp_path):
    sandbox = SlowSandbox()
    async with start(zygote=sandbox, probes_at_once=1, probe_wait_s=0.05) as api, asyncio.TaskGroup() as group:
        await api.beat()
        first = group.create_task(api.submit())
        await eventually(lambda: sandbox.running == 1)

        answer = await api.submit()

        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "Retry-After" in answer.headers
        assert await job_ids(api.bus) == []
        sandbox.gate.set()
    assert first.result().status_code == 202


async def test_a_request_that_is_cancelled_while_it_is_looked_at_leaves_nothing(start, tmp_path):
    sandbox = SlowSandbox()
    async with start(zygote=sandbox) as api:
        await api.beat()
        async with asyncio.TaskGroup() as group:
            request = group.create_task(api.submit())
            await eventually(lambda: sandbox.running == 1)

            request.cancel()

        await assert_nothing_is_left(api, tmp_path)

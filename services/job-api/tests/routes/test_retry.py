"""POST /v1/jobs/{job_id}/retry: another job over the same media, admitted as a submit is."""

import asyncio
import json

import pytest

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_contracts import moves
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import input_blob
from forgesyte_job_api.submit.retry import COPIES_AT_ONCE
from forgesyte_sandbox.parent.outcome import SandboxOutcome

ID_OF_NONE = "00000000-0000-7000-8000-000000000000"


async def submitted(api, content=b"some video", **query) -> str:
    answer = await api.submit(content, **query)
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


async def retry(api, job_id, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    return await api.http.post(f"/v1/jobs/{job_id}/retry", content=content)


async def retried(api, job_id, body=None):
    """The new job's record."""
    answer = await retry(api, job_id, body)
    assert answer.status_code == 202, answer.text
    return (await api.bus.jobs.get(answer.json()["job_id"])).record


SAME = ("plugin_id", "tools", "job_type", "options", "skip_bad_frames", "video_stream", "device_requested", "input")


async def test_an_empty_body_makes_the_same_job_over_a_copy_of_the_media(api):
    query = {"options": '{"threshold": 7}', "skip_bad_frames": "true", "video_stream": 3, "filename": "cars.mp4"}
    first = await submitted(api, tool=["detect-motion"], device="cpu", **query)

    answer = await retry(api, first)

    second = answer.json()["job_id"]
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{second}"
    assert answer.json()["status"] == "queued"
    before, after = [(await api.bus.jobs.get(job_id)).record for job_id in (first, second)]
    assert second != first
    assert [getattr(after, name) for name in SAME] == [getattr(before, name) for name in SAME]
    await api.store.delete(input_blob(first))
    assert await api.store.get(input_blob(second)) == b"some video"
    assert await api.bus.work.has(second, "motion", "cpu")


@pytest.mark.parametrize("ending", ["failed", "cancelled", "running"])
async def test_the_job_may_have_ended_in_any_way_or_still_run(api, make, ending):
    first = await submitted(api)

    def end(record):
        record = moves.claimed(record, "runner-1", make.NOW)
        if ending == "failed":
            return moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
        return moves.cancelled(record, make.NOW) if ending == "cancelled" else record

    await api.bus.jobs.change(first, end)

    after = await retried(api, first)

    assert (after.status, after.attempt, after.error_code, after.summary) == ("pending", 0, None, None)


CHANGES = {
    "options": ({"options": {"threshold": 9}}, {"options": {"detect-motion": {"threshold": 9}}}),
    "no options": ({"options": {}}, {"options": {}}),
    "another tool leaves options out": ({"tools": ["track-objects"]}, {"tools": ("track-objects",), "options": {}}),
    "one tool more keeps them": (
        {"tools": ["motion", "track-objects"]},
        {"tools": ("detect-motion", "track-objects"), "options": {"detect-motion": {"threshold": 7}},
         "job_type": "video_multi"},
    ),
    "options of two tools": (
        {"tools": ["detect-motion", "track-objects"], "options": {"track-objects": {"area": 2}}},
        {"options": {"track-objects": {"area": 2}}},
    ),
    "the default stream": ({"video_stream": None}, {"video_stream": None}),
    "another stream": ({"video_stream": 1}, {"video_stream": 1}),
    "device": ({"device": "cpu"}, {"device_requested": "cpu"}),
    "bad frames": ({"skip_bad_frames": True}, {"skip_bad_frames": True}),
    "nothing": ({}, {"options": {"detect-motion": {"threshold": 7}}, "video_stream": 3}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CHANGES.values(), ids=CHANGES)
async def test_what_the_body_names_is_different_and_the_rest_as_before(api, body, expected):
    first = await submitted(api, options='{"threshold": 7}', video_stream=3)

    after = await retried(api, first, body)

    assert {name: getattr(after, name) for name in expected} == expected


REFUSALS = {
    "unknown tool": ({"tools": ["nope"]}, 400, "TOOL_UNKNOWN"),
    "no tool": ({"tools": []}, 422, "REQUEST_INVALID"),
    "option too high": ({"options": {"threshold": 300}}, 422, "OPTIONS_INVALID"),
    "option too large": ({"options": {"threshold": 10**40}}, 422, "OPTIONS_INVALID"),
    "options no object": ({"options": 7}, 422, "REQUEST_INVALID"),
    "device not there": ({"device": "gpu"}, 409, "PLUGIN_UNAVAILABLE"),
    "another plugin": ({"plugin_id": "other"}, 422, "REQUEST_INVALID"),
    "number as truth": ({"video_stream": True}, 422, "REQUEST_INVALID"),
    "number as text": ({"video_stream": "1"}, 422, "REQUEST_INVALID"),
    "no object": ([1], 422, "REQUEST_INVALID"),
    "too long": ({"options": {"x": "y" * 70_000}}, 422, "REQUEST_INVALID"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_what_a_submit_refuses_is_refused_and_leaves_nothing(api, body, status, code):
    first = await submitted(api)

    answer = await retry(api, first, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await api.store.list("jobs/") == [input_blob(first)]
    assert api.value("jobs_rejected_total", code=code) == 1.0


async def test_a_field_that_a_retry_does_not_know_is_named_beside_those_it_knows(api):
    first = await submitted(api)

    answer = await retry(api, first, {"plugin_id": "other"})

    assert (answer.status_code, answer.json()["field"]) == (422, "plugin_id")
    assert answer.json()["detail"].startswith("there is no field 'plugin_id'; a retry knows tools, options, ")


async def test_a_body_that_is_no_json_is_refused(api):
    first = await submitted(api)

    answer = await api.http.post(f"/v1/jobs/{first}/retry", content=b"threshold=7")

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")


async def test_a_plugin_that_is_broken_by_now_is_refused_with_its_reason(api, make):
    first = await submitted(api)
    await api.beat(make.a_plugin(state=PluginState.FAILED, reason="it crashed on 3 inputs"))

    answer = await retry(api, first)

    assert (answer.status_code, answer.json()["code"]) == (409, "PLUGIN_UNAVAILABLE")
    assert "it crashed on 3 inputs" in answer.json()["detail"]


async def test_a_job_or_an_input_that_is_gone_is_unknown(api):
    first = await submitted(api)
    await api.store.delete(input_blob(first))

    answers = [await retry(api, ID_OF_NONE), await retry(api, first)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "JOB_UNKNOWN")] * 2
    assert "input" in answers[1].json()["detail"]


async def test_an_input_that_goes_while_it_is_copied_leaves_no_half_job(api, monkeypatch):
    first = await submitted(api)
    copy = api.store.copy

    async def too_late(source, path):
        await api.store.delete(source)
        await copy(source, path)

    monkeypatch.setattr(api.store, "copy", too_late)
    answer = await retry(api, first)

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")
    assert await api.store.list("jobs/") == []
    assert (await api.http.get("/v1/jobs")).json()["count"] == 1


async def test_media_that_the_probe_refuses_leaves_no_half_job(api, monkeypatch):
    first = await submitted(api)

    async def refuse(_order):
        return SandboxOutcome(False, None, "no such stream", "Refusal", 1.0, "failed", code=Code.REQUEST_INVALID)

    monkeypatch.setattr(api.state.zygote, "run", refuse)
    answer = await retry(api, first, {"video_stream": 7})

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert await api.store.list("jobs/") == [input_blob(first)]


async def test_a_retry_counts_as_a_waiting_job_of_its_key(start):
    async with start(max_pending_jobs=2) as api:
        await api.beat()
        first = await submitted(api)
        assert (await retry(api, first)).status_code == 202

        answer = await retry(api, first)

    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")


class HeldCopies:
    """Lets the store begin to copy, and go on only when the test says so."""

    def __init__(self, store) -> None:
        self._copy = store.copy
        self.begun: list[str] = []
        self.go_on = asyncio.Event()

    async def copy(self, source, path):
        self.begun.append(path)
        await self.go_on.wait()
        await self._copy(source, path)


async def first_answers(count, tasks):
    """The first answers of requests that are being made, when there are that many."""
    answered = []
    for one in asyncio.as_completed(tasks, timeout=20):
        answered.append(await one)
        if len(answered) == count:
            return answered
    raise AssertionError(f"there are only {len(answered)} answers")


async def test_retries_at_once_are_counted_before_their_media_is_copied(start, monkeypatch):
    async with start(max_pending_jobs=2) as api, asyncio.TaskGroup() as group:
        await api.beat()
        first = await submitted(api)
        copies = HeldCopies(api.store)
        monkeypatch.setattr(api.store, "copy", copies.copy)

        tasks = [group.create_task(retry(api, first)) for _ in range(4)]
        refused = await first_answers(3, tasks)
        begun = len(copies.begun)
        copies.go_on.set()

    assert [answer.status_code for answer in refused] == [429] * 3
    assert begun == 1
    assert sorted(task.result().status_code for task in tasks) == [202, 429, 429, 429]


async def test_a_few_retries_at_once_have_media_in_scratch_and_others_wait_for_a_time(start, monkeypatch):
    async with start(max_pending_jobs=0, probe_wait_s=0.05) as api, asyncio.TaskGroup() as group:
        await api.beat()
        first = await submitted(api)
        copies = HeldCopies(api.store)
        monkeypatch.setattr(api.store, "copy", copies.copy)

        tasks = [group.create_task(retry(api, first)) for _ in range(COPIES_AT_ONCE + 3)]
        refused = await first_answers(3, tasks)
        begun = len(copies.begun)
        copies.go_on.set()

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(429, "TOO_MANY_REQUESTS")] * 3
    assert begun == COPIES_AT_ONCE
    assert sorted(task.result().status_code for task in tasks) == [202] * COPIES_AT_ONCE + [429] * 3


async def test_a_retry_that_fails_is_no_longer_counted(start, monkeypatch):
    async with start(max_pending_jobs=2) as api:
        await api.beat()
        first = await submitted(api)

        async def refuse(_order):
            return SandboxOutcome(False, None, "no such stream", "Refusal", 1.0, "failed", code=Code.REQUEST_INVALID)

        with monkeypatch.context() as patch:
            patch.setattr(api.state.zygote, "run", refuse)
            refused = await retry(api, first, {"video_stream": 7})
        answer = await retry(api, first)

    assert (refused.status_code, answer.status_code) == (422, 202)


async def test_a_job_whose_record_may_have_been_written_is_named_in_the_503(api, monkeypatch):
    first = await submitted(api)

    async def lost(_record):
        raise BusUnavailable("no server")

    monkeypatch.setattr(api.bus.jobs, "create", lost)
    answer = await retry(api, first)

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "check /v1/jobs/" in answer.json()["detail"], "the write may still take effect, so the copy stays"
    assert len(await api.store.list("jobs/")) == 2

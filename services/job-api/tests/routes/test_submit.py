"""POST /v1/video/submit as its clients see it."""

import json

import pytest

from forgesyte_chassis.bus import BusUnavailable
from forgesyte_contracts.ids import parse_job_id
from forgesyte_contracts.plugins import PluginState
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.subjects import input_blob
from tests.support import eventually, job_ids


async def the_input(api, answer) -> bytes:
    return await api.store.get(input_blob(answer.json()["job_id"]))


async def test_raw_body_becomes_a_job_with_its_media_and_one_work_message(api, make):
    answer = await api.submit(make.pieces(b"ab", b"", b"cd"), filename="../tmp/cars.mp4")

    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{parse_job_id(body['job_id'])}"
    assert body | {"job_id": 0, "submitted_at": 0} == {
        "job_id": 0,
        "plugin": "motion",
        "plugin_id": "motion",
        "tool": "detect-motion",
        "tools": ["detect-motion"],
        "status": "queued",
        "submitted_at": 0,
    }
    assert body["submitted_at"].endswith("Z")
    assert await the_input(api, answer) == b"abcd"
    record = (await api.bus.jobs.get(body["job_id"])).record
    assert record.input.model_dump() == {"filename": "cars.mp4", "size_bytes": 4, "media_type": "video/mp4"}
    assert await api.bus.work.has(body["job_id"], "motion", "cpu")


@pytest.mark.parametrize("field", ["video", "file"])
@pytest.mark.parametrize("fields_first", [True, False], ids=["fields before the file", "fields behind the file"])
async def test_a_form_becomes_the_same_job(api, make, field, fields_first):
    texts = [("plugin_id", "motion"), ("tool", "detect-motion"), ("tool", "track-objects"), ("skip_bad_frames", "true")]
    body = make.form(texts, (field, "cars.mp4", b"\r\n--almost\r\n" * 5000), fields_first=fields_first)

    answer = await api.http.post("/v1/video/submit", content=make.cut(body, 7001), headers=make.FORM)

    assert answer.status_code == 202, answer.text
    assert answer.json()["tools"] == ["detect-motion", "track-objects"]
    assert await the_input(api, answer) == b"\r\n--almost\r\n" * 5000
    record = (await api.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.skip_bad_frames, record.job_type, record.input.filename) == (True, "video_multi", "cars.mp4")


async def test_aliases_become_ids_and_a_tool_asked_twice_counts_once(api):
    answer = await api.submit(tool=["motion", "track-objects", "detect-motion"])

    assert answer.json()["tools"] == ["detect-motion", "track-objects"]


REFUSALS = {
    "unknown plugin": ({"plugin_id": "nope"}, 400, "PLUGIN_UNKNOWN", "motion"),
    "no plugin": ({"plugin_id": None}, 400, "PLUGIN_UNKNOWN", "plugin_id is missing"),
    "unknown tool": ({"tool": "nope"}, 400, "TOOL_UNKNOWN", "detect-motion, track-objects"),
    "blank tool": ({"tool": ""}, 400, "TOOL_UNKNOWN", "tool is missing"),
    "no tool": ({"tool": None}, 400, "TOOL_UNKNOWN", "tool is missing"),
    "neither": ({"plugin_id": None, "tool": None}, 400, "PLUGIN_UNKNOWN", "plugin_id is missing"),
    "option too high": ({"options": '{"threshold": 300}'}, 422, "OPTIONS_INVALID", "options.detect-motion.threshold"),
    "option unknown": ({"options": '{"treshold": 3}'}, 422, "OPTIONS_INVALID", "treshold"),
    "options no JSON": ({"options": "{threshold}"}, 422, "OPTIONS_INVALID", "not JSON"),
    "device not there": ({"device": "gpu"}, 409, "PLUGIN_UNAVAILABLE", "cpu"),
    "device unknown": ({"device": "tpu"}, 422, "REQUEST_INVALID", "device"),
}


@pytest.mark.parametrize(("query", "status", "code", "said"), REFUSALS.values(), ids=REFUSALS)
async def test_what_is_wrong_in_the_query_is_refused_before_the_body_is_read(api, query, status, code, said):
    read = []

    async def body():
        read.append(1)
        yield b"bytes"

    answer = await api.submit(body(), **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert read == []
    assert await api.store.list("") == []


@pytest.mark.parametrize("state", [PluginState.FAILED, PluginState.UNAVAILABLE])
async def test_a_broken_plugin_is_refused_with_its_reason(api, make, state):
    await api.beat(make.a_plugin(state=state, reason="no model file at models/x.pt", manifest=None))

    answer = await api.submit()

    assert (answer.status_code, answer.json()["code"]) == (409, "PLUGIN_UNAVAILABLE")
    assert "no model file at models/x.pt" in answer.json()["detail"]
    assert answer.json()["plugin"] == "motion"


async def test_options_of_several_tools_are_kept_by_tool_id(api):
    options = {"motion": {"threshold": 5}, "track-objects": {"area": 0.5}}

    answer = await api.submit(tool=["detect-motion", "track-objects"], options=json.dumps(options))

    record = (await api.bus.jobs.get(answer.json()["job_id"])).record
    assert record.options == {"detect-motion": {"threshold": 5}, "track-objects": {"area": 0.5}}


MEDIA = {
    "empty body": ("video/mp4", b"", 415, "MEDIA_INVALID", "0 bytes"),
    "image": ("image/png", b"x", 415, "MEDIA_INVALID", "image/png"),
    "curl's default type": (
        "application/x-www-form-urlencoded",
        b"x",
        415,
        "MEDIA_INVALID",
        "application/octet-stream",
    ),
    "form without boundary": ("multipart/form-data", b"x", 422, "REQUEST_INVALID", "boundary"),
    "no form at all": ("multipart/form-data; boundary=b", b"x" * 99, 422, "REQUEST_INVALID", "not a multipart form"),
}


@pytest.mark.parametrize(("kind", "body", "status", "code", "said"), MEDIA.values(), ids=MEDIA)
async def test_unusable_media_is_refused_and_leaves_nothing(api, kind, body, status, code, said):
    query = {"plugin_id": "motion", "tool": "detect-motion"}

    answer = await api.http.post("/v1/video/submit", params=query, content=body, headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert said in answer.json()["detail"]
    assert await api.store.list("") == []
    assert await job_ids(api.bus) == []


FORMS = {
    "no file": ([("plugin_id", "motion"), ("tool", "motion")], None, "no file"),
    "file in another field": ([("plugin_id", "motion"), ("tool", "motion")], ("clip", "a.mp4", b"x"), "'clip'"),
    "device unknown": ([("device", "tpu")], ("video", "a.mp4", b"x"), "device"),
    "plugin twice": ([("plugin_id", "motion"), ("plugin_id", "ocr")], ("video", "a.mp4", b"x"), "twice"),
}


@pytest.mark.parametrize("fields_first", [True, False], ids=["fields before the file", "fields behind the file"])
@pytest.mark.parametrize(("texts", "file", "said"), FORMS.values(), ids=FORMS)
async def test_a_wrong_form_is_refused_and_leaves_nothing(api, make, texts, file, said, fields_first):
    body = make.form(texts, file, fields_first=fields_first)

    answer = await api.http.post("/v1/video/submit", content=body, headers=make.FORM)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID"), answer.text
    assert said in answer.json()["detail"]
    assert await api.store.list("") == []


@pytest.mark.parametrize("wanted", ["-1", "first", "99999"])
async def test_a_stream_that_no_file_has_is_refused_before_the_upload(api, wanted):
    answer = await api.submit(video_stream=wanted)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID"), answer.text
    assert "video_stream" in answer.json()["detail"]
    assert await api.store.list("") == []


async def test_the_chosen_stream_is_kept_for_the_runner_and_the_annotated_video(api):
    answer = await api.submit(video_stream=1)

    assert answer.status_code == 202, answer.text
    assert (await api.bus.jobs.get(answer.json()["job_id"])).record.video_stream == 1


async def test_a_form_whose_optional_fields_were_left_blank_is_as_one_without_them(api, make):
    blank = [("device", ""), ("options", ""), ("skip_bad_frames", "")]
    body = make.form([("plugin_id", "motion"), ("tool", "motion"), ("tool", ""), *blank], ("video", "a.mp4", b"x"))

    answer = await api.http.post("/v1/video/submit", content=body, headers=make.FORM)

    assert answer.status_code == 202, answer.text
    record = (await api.bus.jobs.get(answer.json()["job_id"])).record
    assert (record.tools, record.device_requested, record.skip_bad_frames) == (("detect-motion",), "auto", False)


async def test_an_empty_file_in_a_form_is_refused(api, make):
    body = make.form([("plugin_id", "motion"), ("tool", "motion")], ("video", "a.mp4", b""))

    answer = await api.http.post("/v1/video/submit", content=body, headers=make.FORM)

    assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_INVALID")
    assert await api.store.list("") == []


@pytest.mark.parametrize("announced", [True, False], ids=["length announced", "length unknown"])
async def test_upload_limit_is_refused_with_both_numbers(start, make, announced):
    async with start(max_upload_bytes=1000) as api:
        await api.beat()

        answer = await api.submit(b"x" * 1001 if announced else make.pieces(b"x" * 600, b"x" * 401))

        assert (answer.status_code, answer.json()["code"]) == (413, "MEDIA_TOO_LARGE")
        assert "1001" in answer.json()["detail"]
        assert "1000" in answer.json()["detail"]
        assert await api.store.list("") == []


async def test_when_the_publish_fails_the_answer_is_still_202(api, monkeypatch):
    async def refuse(*_args):
        raise ForgeSyteError(Code.SERVICE_UNAVAILABLE, "no")

    monkeypatch.setattr(api.bus.work, "publish", refuse)

    answer = await api.submit()

    assert answer.status_code == 202
    assert not await api.bus.work.has(answer.json()["job_id"], "motion", "cpu")
    assert (await api.bus.jobs.get(answer.json()["job_id"])).record.status == "pending"


async def test_a_job_whose_record_may_have_been_written_is_named_in_the_503(api, monkeypatch):
    async def lose_the_answer(record, **_):
        raise BusUnavailable("The record could not be settled within 15 s; it may be written.")

    monkeypatch.setattr(api.bus.jobs, "create", lose_the_answer)

    answer = await api.submit()

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.json()["job_id"] in answer.json()["detail"]
    assert await api.store.size(input_blob(answer.json()["job_id"])) is not None


async def test_when_the_bus_is_unavailable_the_answer_is_503_and_nothing_is_stored(api):
    api.server.kill()
    await eventually(lambda: not api.bus.is_connected)

    answer = await api.submit()

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in answer.headers
    assert await api.store.list("") == []

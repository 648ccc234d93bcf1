"""POST /v1/image/analyze with a runner played by the test: every way in which the waiting can end."""

import asyncio

import orjson
import pytest

from forgesyte_chassis.store.segments import merge_segments, write_segment
from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import DecodeFacts
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import ResultSummary
from tests.support import eventually, job_ids

ROW = {"frame_index": 0, "timestamp_ms": 0.0, "detections": {"text": "x" * 400_000}}


@pytest.fixture
async def images(api, make):
    await api.beat(make.a_plugin(tools=(make.a_tool("read-text", inputs=("image",)),)))
    return api


def analyze(api, **query):
    params = {"plugin_id": "motion", "tool": "read-text", **query}
    return api.http.post("/v1/image/analyze", params=params, content=b"x", headers={"Content-Type": "image/png"})


async def the_job(api) -> str:
    """Wait for the only job there is; gives its id."""
    (job_id,) = await eventually(lambda: job_ids(api.bus))
    return job_id


async def complete(api, make, job_id: str) -> None:
    """Do what a runner does: one row, the merged rows, the record; and wait until this replica has heard of the end."""
    claimed = (await api.bus.jobs.change(job_id, lambda record: moves.claimed(record, "runner-1", make.NOW))).record
    await write_segment(api.store, job_id, 1, 0, [orjson.dumps(ROW)])
    facts = DecodeFacts(frames_decoded=1, width=64, height=48)
    done = moves.progressed(claimed, make.NOW, end_frame=1, decode=facts, total_frames=1)
    await merge_segments(api.store, done)
    ended = moves.completed(done, make.NOW, summary=ResultSummary(frame_count=1))
    await api.bus.jobs.change(job_id, lambda record: ended.model_copy(update={"write_id": record.write_id}))
    await eventually(lambda: api.state.projection.get(job_id).record.is_terminal, what="the end is heard")


async def test_the_answer_is_the_whole_result_document_when_the_job_is_completed(images, make):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(analyze(images))
        await complete(images, make, await the_job(images))
    answer = asked.result()

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    document = answer.json()
    assert document.pop("frames") == [ROW]
    result = (await images.http.get(f"/v1/jobs/{document['job_id']}/result")).json()
    assert document == {name: value for name, value in result.items() if name != "frames"}
    assert (document["status"], document["total_frames"], document["truncated"]) == ("completed", 1, False)


FAILURES = {
    "bad media": (Code.MEDIA_INVALID, "It is a text.", 415, "It is a text."),
    "too slow": (Code.PLUGIN_TIMEOUT, "A frame took longer.", 504, "A frame took longer."),
    "raised": (Code.PLUGIN_ERROR, "The plugin raised: secret", 500, "GET /v1/jobs/"),
    "crashed": (Code.PLUGIN_CRASH, "ended with secret", 500, "GET /v1/jobs/"),
    "unknown here": ("SOMETHING_NEW", "secret", 500, "An internal error occurred"),
}


@pytest.mark.parametrize(("code", "message", "status", "said"), FAILURES.values(), ids=FAILURES)
async def test_a_failed_job_is_a_problem_with_its_code_and_a_500_shows_no_text(
    images, make, code, message, status, said
):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(analyze(images))
        job_id = await the_job(images)
        await images.bus.jobs.change(
            job_id,
            lambda record: moves.failed(record, Code.INTERNAL, "ValueError", message, make.NOW).model_copy(
                update={"error_code": str(code)}
            ),
        )
    answer = asked.result()

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["job_id"]) == (code if code in Code else "INTERNAL", job_id)
    assert said in answer.json()["detail"]
    assert "secret" not in answer.text


async def test_a_cancelled_job_is_told_as_cancelled(images):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(analyze(images))
        job_id = await the_job(images)
        await images.http.post(f"/v1/jobs/{job_id}/cancel")

    assert (asked.result().status_code, asked.result().json()["code"]) == (409, "CANCELLED")
    assert asked.result().json()["job_id"] == job_id
    assert images.value("jobs_rejected_total", code="CANCELLED") is None, "it was accepted"


async def test_504_names_the_job_which_goes_on_and_can_be_fetched(images, make):
    answer = await analyze(images, timeout_s=0.05)

    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")
    problem = answer.json()
    job_id = problem["job_id"]
    where = f"/v1/jobs/{job_id}"
    assert (problem["status"], problem["code"]) == (504, "JOB_UNFINISHED")
    assert (answer.headers["Location"], problem["job_url"], problem["result_url"]) == (where, where, f"{where}/result")
    assert "continues" in problem["detail"]
    assert await images.bus.work.has(job_id, "motion", "cpu")
    await complete(images, make, job_id)
    assert (await images.http.get(f"{where}/result")).json()["frames"] == [ROW]


async def test_the_wait_is_the_setting_s_unless_the_client_says(start, make):
    async with start(analyze_wait_s=0.05) as api:
        await api.beat(make.a_plugin(tools=(make.a_tool("read-text", inputs=("image",)),)))

        answer = await analyze(api)

    assert answer.status_code == 504
    assert "after 0.05 s" in answer.json()["detail"]


async def test_timeout_s_may_be_a_form_field(images, make):
    body = make.form(
        [("plugin_id", "motion"), ("tool", "read-text"), ("timeout_s", "0.05")], ("image", "a.png", b"an image")
    )

    answer = await images.http.post("/v1/image/analyze", content=body, headers=make.FORM)

    assert answer.status_code == 504


@pytest.mark.parametrize("timeout_s", ["0", "-1", "301", "inf", "nan", "soon"])
@pytest.mark.parametrize("form", [False, True], ids=["query", "form"])
async def test_a_wait_out_of_bounds_is_refused_and_leaves_nothing(images, make, timeout_s, form):
    if form:
        texts = [("plugin_id", "motion"), ("tool", "read-text"), ("timeout_s", timeout_s)]
        body = make.form(texts, ("image", "a.png", b"an image"))
        answer = await images.http.post("/v1/image/analyze", content=body, headers=make.FORM)
    else:
        answer = await analyze(images, timeout_s=timeout_s)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert "timeout_s" in answer.json()["detail"]
    assert await images.store.list("") == []
    assert await job_ids(images.bus) == []


async def test_a_client_that_goes_away_does_not_cancel_the_job(images, make):
    listener, stopping = open_listener("127.0.0.1", 0), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(images.app, listener, stopping=stopping, grace_s=0))
        _, writer = await asyncio.open_connection(*listener.getsockname())
        head = "POST /v1/image/analyze?plugin_id=motion&tool=read-text HTTP/1.1\r\nHost: localhost"
        writer.write(f"{head}\r\nContent-Type: image/png\r\nContent-Length: 8\r\n\r\nan image".encode())
        job_id = await the_job(images)

        writer.transport.abort()
        await complete(images, make, job_id)

        answer = await images.http.get(f"/v1/jobs/{job_id}/result")
        stopping.set()
    assert answer.json()["frames"] == [ROW]


@pytest.mark.slow
async def test_an_end_that_comes_after_the_bus_was_away_is_seen(images, make):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(analyze(images, timeout_s=100))
        job_id = await the_job(images)
        await images.server.restart()
        await eventually(lambda: images.bus.is_connected)
        text = "It is a text."
        await images.bus.jobs.change(
            job_id, lambda record: moves.failed(record, Code.MEDIA_INVALID, "MediaInvalid", text, make.NOW)
        )

    assert (asked.result().status_code, asked.result().json()["detail"]) == (415, text)


async def test_many_can_wait_for_many_jobs_and_no_waiter_is_left_behind(images, make):
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(analyze(images)) for _ in range(20)]
        job_ids = await eventually(lambda: _all_of(images, 20))
        for job_id in job_ids:
            await complete(images, make, job_id)

    assert sorted(task.result().json()["job_id"] for task in asked) == sorted(job_ids)
    assert images.state.projection._awaited == {}


async def _all_of(api, count: int):
    found = await job_ids(api.bus)
    return found if len(found) == count else None

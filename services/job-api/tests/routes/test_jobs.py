"""GET /v1/jobs, /v1/jobs/{job_id} and /extended."""

from datetime import timedelta

import orjson
import pytest

from forgesyte_chassis.store.segments import merge_segments, write_segment
from forgesyte_contracts import moves
from forgesyte_contracts.http.jobs import job_view
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import RowRange
from forgesyte_contracts.problems import Code
from forgesyte_contracts.subjects import record_blob, result_blob
from tests.support import eventually


def rows(first: int, end: int) -> list[bytes]:
    return [orjson.dumps({"frame_index": n, "timestamp_ms": n * 40.0, "detections": {}}) for n in range(first, end)]


async def test_a_fresh_job_can_be_asked_for_at_once(api):
    job_id = (await api.submit()).json()["job_id"]

    answer = await api.http.get(f"/v1/jobs/{job_id}")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["tool"], body["tools_total"], body["results"]) == ("pending", "detect-motion", 1, None)
    assert body["current_tool"] == "detect-motion"


@pytest.mark.parametrize("path", ["", "/extended", "/result"], ids=["record", "extended", "result"])
@pytest.mark.parametrize(
    ("job_id", "status", "code"),
    [(str(new_job_id()), 404, "JOB_UNKNOWN"), ("17", 422, "REQUEST_INVALID"), ("x" * 36, 422, "REQUEST_INVALID")],
    ids=["unknown", "short", "36 characters, no UUID"],
)
async def test_a_job_that_is_not_there(api, path, job_id, status, code):
    answer = await api.http.get(f"/v1/jobs/{job_id}{path}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_completed_job_carries_its_result_document(api, make):
    record = await api.put(make.a_record())
    await api.store.put(
        result_blob(record.job_id, 1), orjson.dumps({"job_id": record.job_id, "frames": [{"frame_index": 0}]})
    )
    await api.bus.jobs.change(record.job_id, lambda r: moves.claimed(r, "runner-1", make.NOW))
    await api.bus.jobs.change(record.job_id, lambda r: moves.completed(r, make.NOW))

    async def completed():
        body = (await api.http.get(f"/v1/jobs/{record.job_id}")).json()
        return body if body["status"] == "completed" else None

    body = await eventually(completed)
    assert body["results"]["frames"] == [{"frame_index": 0}]
    assert (body["progress"], body["current_tool"], body["tools_completed"]) == (100, None, 1)


async def test_extended_shows_the_newest_20_rows_and_how_the_job_was_made(api, make):
    record = make.a_record(warnings=("a", "a"), fallback=True, fallback_reason="no gpu")
    record = moves.progressed(moves.claimed(record, "runner-1", make.NOW), make.NOW, end_frame=50)
    await write_segment(api.store, record.job_id, 1, 0, rows(0, 30))
    await write_segment(api.store, record.job_id, 1, 30, rows(30, 50))
    await api.put(record)

    body = (await api.http.get(f"/v1/jobs/{record.job_id}/extended")).json()

    assert [row["frame_index"] for row in body["frames"]] == list(range(30, 50))
    assert body["warnings"] == ["a", "a"]
    assert (body["fallback"], body["fallback_reason"], body["device_requested"]) == (True, "no gpu", "auto")
    assert [attempt["runner_id"] for attempt in body["attempts"]] == ["runner-1"]


async def test_a_job_that_left_the_bus_is_found_in_the_store(api, make):
    record = moves.failed(make.a_record(), Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
    await api.store.put(record_blob(record.job_id), record.model_dump_json().encode())

    body = (await api.http.get(f"/v1/jobs/{record.job_id}")).json()

    assert (body["status"], body["error_message"]) == ("failed", "it raised")


async def test_while_the_bus_is_unavailable_the_last_state_seen_is_returned(api, make):
    record = await api.put(make.a_record())
    api.server.kill()
    await eventually(lambda: not api.bus.is_connected)

    seen = await api.http.get(f"/v1/jobs/{record.job_id}")
    unseen = await api.http.get(f"/v1/jobs/{new_job_id()}")
    page = await api.http.get("/v1/jobs")

    assert seen.json()["status"] == "pending"
    assert (unseen.status_code, unseen.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert page.json()["count"] == 1


async def test_a_thousand_jobs_are_paged_newest_first_without_gap_or_double(api, make):
    records = [make.a_record(job_id=new_job_id(time_ms=1_700_000_000_000 + n)) for n in range(1000)]
    for revision, record in enumerate(records, start=10_000):
        api.state.projection.apply(record.job_id, record, revision)
    query, found = {"limit": 100}, []

    while True:
        page = (await api.http.get("/v1/jobs", params=query)).json()
        found += [job["job_id"] for job in page["jobs"]]
        assert page["count"] == 1000
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert found == [record.job_id for record in reversed(records)]


async def test_list_filters_by_status_and_plugin_and_counts_all_that_match(api, make):
    for plugin in ("motion", "ocr"):
        for _ in range(3):
            await api.put(make.a_record(plugin_id=plugin))
    await api.put(moves.cancelled(make.a_record(plugin_id="ocr"), make.NOW))

    page = (await api.http.get("/v1/jobs", params={"status": "pending", "plugin": "ocr", "limit": 2})).json()
    rest = (await api.http.get("/v1/jobs", params={"status": "pending", "plugin": "ocr", "skip": 2})).json()

    assert (page["count"], len(page["jobs"]), rest["count"], len(rest["jobs"])) == (3, 2, 3, 1)
    assert {job["plugin_id"] for job in page["jobs"]} == {"ocr"}
    assert rest["next_cursor"] is None


async def test_list_is_ten_long_unless_asked_otherwise_and_carries_no_results(api, make):
    for _ in range(11):
        await api.put(make.a_record())

    page = (await api.http.get("/v1/jobs")).json()

    assert len(page["jobs"]) == 10
    assert {job["results"] for job in page["jobs"]} == {None}


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 101}, {"status": "done"}, {"plugin": "a b"}, {"cursor": "x"}, {"skip": -1}],
    ids=str,
)
async def test_list_refuses_what_it_does_not_know(api, query):
    answer = await api.http.get("/v1/jobs", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert next(iter(query)) in answer.json()["detail"]


async def test_newest_ended_jobs_are_listed_again_after_a_restart(start, make):
    ended = [moves.cancelled(make.a_record(created_at=make.NOW + timedelta(seconds=n)), make.NOW) for n in range(5)]
    async with start(history=3, reconcile_every_s=0.05) as api:
        for record in ended:
            await api.store.put(record_blob(record.job_id), record.model_dump_json().encode())

    async with start(history=3, reconcile_every_s=0.05) as api:

        async def listed():
            return [job["job_id"] for job in (await api.http.get("/v1/jobs")).json()["jobs"]]

        newest = sorted((record.job_id for record in ended), reverse=True)[:3]
        await eventually(lambda: _equal(listed, newest))


async def _equal(listed, expected):
    return await listed() == expected


async def test_merged_rows_of_a_completed_job_are_the_extended_ones(api, make):
    running = moves.progressed(moves.claimed(make.a_record(), "runner-1", make.NOW), make.NOW, end_frame=3)
    await write_segment(api.store, running.job_id, 1, 0, rows(0, 3))
    await merge_segments(api.store, running)
    record = moves.completed(running, make.NOW)
    assert record.rows == (RowRange(attempt=1, first_frame=0, end_frame=3),)
    await api.put(record)

    body = (await api.http.get(f"/v1/jobs/{record.job_id}/extended")).json()

    assert [row["frame_index"] for row in body["frames"]] == [0, 1, 2]
    assert body["result_url"] == job_view(record).result_url


async def test_head_answers_as_get_does_but_without_the_body(api, make):
    job_id = (await api.submit()).json()["job_id"]
    paths = ["/v1", "/health", "/v1/health", "/v1/jobs", f"/v1/jobs/{job_id}", f"/v1/jobs/{job_id}/extended"]
    paths += [f"/v1/jobs/{job_id}/result?format=jsonl", f"/v1/jobs/{job_id}/result", "/v1/jobs/17"]
    paths += [f"/v1/jobs/{job_id}/result/timeline"]

    for path in paths:
        got, head = await api.http.get(path), await api.http.head(path)

        assert (path, head.status_code) == (path, got.status_code)
        assert head.headers["content-type"] == got.headers["content-type"]
        assert head.headers.get("content-length") == got.headers.get("content-length")
        assert head.headers.get("X-Job-Status") == got.headers.get("X-Job-Status")

"""GET /v1/jobs/{job_id}/result."""

import csv
import tracemalloc

import orjson
import pytest

from forgesyte_chassis.store.segments import merge_segments, write_segment
from forgesyte_contracts import moves
from forgesyte_contracts.jobs import DecodeFacts, InputFacts
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import ResultSummary


def rows(first: int, end: int, padding: str = "") -> list[bytes]:
    return [orjson.dumps({"frame_index": n, "detections": {"text": padding}}) for n in range(first, end)]


async def running_job(api, make, frames: int):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    for first in range(0, frames, 10):
        await write_segment(api.store, record.job_id, 1, first, rows(first, min(first + 10, frames)))
    return moves.progressed(
        record, make.NOW, end_frame=frames, decode=DecodeFacts(fps=25.0, width=320, height=240), total_frames=frames
    )


async def completed_job(api, make, frames: int):
    record = await running_job(api, make, frames)
    await merge_segments(api.store, record)
    return await api.put(moves.completed(record, make.NOW, summary=ResultSummary(frame_count=frames)))


async def test_json_is_one_document_with_every_row(api, make):
    record = await completed_job(api, make, 25)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result")

    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert [row["frame_index"] for row in document.pop("frames")] == list(range(25))
    assert document == {
        "job_id": record.job_id,
        "status": "completed",
        "plugin_id": "motion",
        "tools": ["detect-motion"],
        "total_frames": 25,
        "fps": 25.0,
        "width": 320,
        "height": 240,
        "summary": {"frame_count": 25, "detection_count": 0, "classes": {}},
        "truncated": False,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, range(25)),
        ({"from_frame": 13}, range(13, 25)),
        ({"limit": 4}, range(4)),
        ({"from_frame": 9, "limit": 3}, range(9, 12)),
        ({"from_frame": 25}, range(0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["json", "jsonl"])
async def test_a_part_of_the_rows(api, make, query, expected, kind):
    record = await completed_job(api, make, 25)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result", params={**query, "format": kind})

    found = answer.json()["frames"] if kind == "json" else [orjson.loads(line) for line in answer.text.splitlines()]
    assert [row["frame_index"] for row in found] == list(expected)


async def test_running_job_gives_its_rows_so_far_as_lines_and_409_as_document(api, make):
    record = await api.put(await running_job(api, make, 12))

    lines = await api.http.get(f"/v1/jobs/{record.job_id}/result", params={"format": "jsonl"})
    document = await api.http.get(f"/v1/jobs/{record.job_id}/result")

    assert len(lines.text.splitlines()) == 12
    assert lines.headers["X-Job-Status"] == "running"
    assert (document.status_code, document.json()["code"]) == (409, "JOB_UNFINISHED")
    assert document.json()["job_id"] == record.job_id


async def test_pending_job_has_no_lines_yet(api):
    job_id = (await api.submit()).json()["job_id"]

    answer = await api.http.get(f"/v1/jobs/{job_id}/result", params={"format": "jsonl"})

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
async def test_failed_and_cancelled_jobs_give_the_rows_so_far_and_their_status(api, make, ending):
    record = await running_job(api, make, 12)
    if ending == "failed":
        record = moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
    else:
        record = moves.cancelled(record, make.NOW)
    await api.put(record)

    document = (await api.http.get(f"/v1/jobs/{record.job_id}/result")).json()

    assert (document["status"], len(document["frames"])) == (ending, 12)


async def test_csv_has_one_line_per_detection_and_takes_a_part_of_the_frames(api, make):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    found = [{"xyxy": [1, 2, 3, 4], "area": 4.0, "share": 0.1}]
    lines = [orjson.dumps({"frame_index": n, "timestamp_ms": n * 40.0, "detections": {"regions": found * (n % 3)}})
             for n in range(30)]  # fmt: skip
    await write_segment(api.store, record.job_id, 1, 0, lines)
    record = moves.progressed(record, make.NOW, end_frame=30)
    await merge_segments(api.store, record)
    record = await api.put(moves.completed(record, make.NOW, summary=ResultSummary(frame_count=30)))
    url = f"/v1/jobs/{record.job_id}/result"

    whole = await api.http.get(url, params={"format": "csv"})
    part = await api.http.get(url, params={"format": "csv", "from_frame": 10, "limit": 5})

    assert whole.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"{record.job_id}.csv"
    assert whole.headers["content-disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert whole.headers["X-Job-Status"] == "completed"
    assert [int(line["frame_index"]) for line in csv.DictReader(whole.text.splitlines())] == [
        n for n in range(30) for _ in range(n % 3)
    ]
    assert [int(line["frame_index"]) for line in csv.DictReader(part.text.splitlines())] == [10, 11, 11, 13, 14, 14]


async def test_csv_of_a_running_job_is_409_and_of_a_failed_one_has_the_rows_so_far(api, make):
    running = await api.put(await running_job(api, make, 12))
    failed = moves.failed(await running_job(api, make, 12), Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW)
    await api.put(failed)

    answers = [
        await api.http.get(f"/v1/jobs/{job.job_id}/result", params={"format": "csv"}) for job in (running, failed)
    ]

    assert [answer.status_code for answer in answers] == [409, 200]
    assert answers[0].json()["code"] == "JOB_UNFINISHED"
    assert len(answers[1].text.splitlines()) == 13
    assert answers[1].headers["X-Job-Status"] == "failed"


@pytest.mark.parametrize("query", [{"format": "xml"}, {"from_frame": -1}, {"limit": 0}], ids=str)
async def test_result_refuses_what_it_does_not_know(api, make, query):
    record = await api.put(make.a_record())

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
async def test_memory_does_not_grow_with_the_result(api, make, kind):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    for first in range(0, 4000, 200):
        await write_segment(api.store, record.job_id, 1, first, rows(first, first + 200, "x" * 10_000))
    record = await api.put(moves.cancelled(moves.progressed(record, make.NOW, end_frame=4000), make.NOW))
    path = f"/v1/jobs/{record.job_id}/result"
    tracemalloc.start()

    # The transport for tests would gather the whole answer, so the route's stream is read as uvicorn reads it.
    total, peak = await _read_as_a_server(api.app, path, f"format={kind}".encode())
    tracemalloc.stop()

    assert total > 40_000_000
    assert peak < total / 2


async def _read_as_a_server(app, path, query):
    total = 0

    async def send(message):
        nonlocal total
        total += len(message.get("body", b""))

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}
    scope |= {"http_version": "1.1", "scheme": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}}
    await app(scope, receive, send)
    return total, tracemalloc.get_traced_memory()[1]


@pytest.mark.parametrize(
    ("filename", "saved_as"),
    [("Zürich 1.tar.mp4", "Z%C3%BCrich%201.tar.csv"), ("a/b.mp4", "b.csv"), ("/", "{id}.csv"), (None, "{id}.csv")],
)
async def test_a_csv_is_saved_under_the_name_of_its_media(api, make, filename, saved_as):
    record = make.a_record(input=InputFacts(filename=filename))
    await api.put(moves.cancelled(record, make.NOW))

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/result", params={"format": "csv"})

    name = saved_as.format(id=record.job_id)
    assert answer.headers["content-disposition"].endswith(f"filename*=UTF-8''{name}")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
async def test_a_job_whose_rows_are_gone_is_unknown(api, make, method, format_):
    record = await completed_job(api, make, 25)
    for path in await api.store.list("jobs/"):
        await api.store.delete(path)

    answer = await api.http.request(method, f"/v1/jobs/{record.job_id}/result", params={"format": format_})

    assert answer.status_code == 404
    assert method == "HEAD" or answer.json()["code"] == "JOB_UNKNOWN"

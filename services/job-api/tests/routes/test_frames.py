"""GET /v1/jobs/{job_id}/frames."""

import orjson
import pytest

from forgesyte_chassis.store.rowtimes import FrameTimes
from forgesyte_chassis.store.segments import merge_segments, write_segment
from forgesyte_contracts import moves
from forgesyte_contracts.http.frame_table import FRAMES_TYPE, decode_frame_table
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import DecodeFacts
from forgesyte_contracts.problems import Code
from forgesyte_contracts.results import ResultSummary
from forgesyte_contracts.subjects import job_folder

DECODE = DecodeFacts(width=240, height=320, rotation=90, pixel_aspect="4:3")
BINARY = {"Accept": FRAMES_TYPE}


def time_of(frame):
    return 500_000 + 40_000 * frame


async def running_job(api, make, frames, *, without=(), is_timed=True, decode=DECODE):
    """A job whose rows are committed in segments of ten."""
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    for first in range(0, frames, 10):
        kept = [frame for frame in range(first, min(first + 10, frames)) if frame not in without]
        rows = [orjson.dumps({"frame_index": frame, "detections": {}}) for frame in kept]
        times = FrameTimes.of((frame, time_of(frame)) for frame in kept) if is_timed else None
        await write_segment(api.store, record.job_id, 1, first, rows, times)
    return moves.progressed(record, make.NOW, end_frame=frames, decode=decode)


async def completed_job(api, make, frames, **how):
    record = await running_job(api, make, frames, **how)
    await merge_segments(api.store, record)
    return await api.put(moves.completed(record, make.NOW, summary=ResultSummary(frame_count=frames)))


async def asked(api, record, **query):
    """The table, which must be the same in both forms."""
    url = f"/v1/jobs/{record.job_id}/frames"
    plain = await api.http.get(url, params=query)
    packed = await api.http.get(url, params=query, headers=BINARY)
    assert plain.status_code == packed.status_code == 200, plain.text
    assert plain.headers["content-type"] == "application/json"
    assert packed.headers["content-type"] == FRAMES_TYPE
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept"
    assert decode_frame_table(packed.content, record.job_id).model_dump(mode="json") == plain.json()
    return plain.json()


async def test_a_completed_job_has_a_time_for_each_frame(api, make):
    record = await completed_job(api, make, 25)

    assert await asked(api, record) == {
        "job_id": record.job_id,
        "of": "input",
        "attempt": 1,
        "complete": True,
        "width": 240,
        "height": 320,
        "rotation": 90,
        "pixel_aspect": "4:3",
        "frame_index": list(range(25)),
        "time_us": [time_of(frame) for frame in range(25)],
    }


async def test_a_long_table_is_whole(api, make):
    record = moves.claimed(make.a_record(), "runner-1", make.NOW)
    frames = range(40_000)
    rows = [orjson.dumps({"frame_index": frame}) for frame in frames]
    await write_segment(api.store, record.job_id, 1, 0, rows, FrameTimes.of((one, time_of(one)) for one in frames))
    await api.put(moves.progressed(record, make.NOW, end_frame=40_000))

    assert (await asked(api, record))["time_us"] == [time_of(frame) for frame in frames]


async def test_a_running_job_has_the_frames_that_are_committed(api, make):
    record = await running_job(api, make, 25)
    await api.put(moves.progressed(record, make.NOW, end_frame=15))

    table = await asked(api, record)

    assert (table["frame_index"], table["complete"]) == (list(range(15)), False)


async def test_rows_of_an_attempt_that_lost_the_job_are_left_out(api, make):
    record = await running_job(api, make, 20)
    rows = [orjson.dumps({"frame_index": frame}) for frame in range(20, 30)]
    await write_segment(api.store, record.job_id, 7, 20, rows, FrameTimes.of((frame, 1) for frame in range(20, 30)))
    await api.put(record)

    assert (await asked(api, record))["frame_index"] == list(range(20))


async def test_a_failed_job_has_what_it_had_and_is_not_complete(api, make):
    record = await running_job(api, make, 25)
    await api.put(moves.failed(record, Code.PLUGIN_ERROR, "ValueError", "it raised", make.NOW))

    table = await asked(api, record)

    assert (len(table["frame_index"]), table["complete"]) == (25, False)


async def test_a_pending_job_has_an_empty_table(api, make):
    record = await api.put(make.a_record())

    table = await asked(api, record)

    assert (table["frame_index"], table["time_us"], table["width"], table["attempt"]) == ([], [], 0, 0)


async def test_frames_that_were_skipped_are_not_in_the_table(api, make):
    record = await completed_job(api, make, 25, without=(3, 20))

    table = await asked(api, record)

    assert table["frame_index"] == [frame for frame in range(25) if frame not in (3, 20)]
    assert table["time_us"] == [time_of(frame) for frame in table["frame_index"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from_frame": 7, "limit": 6}, range(7, 13)),
        ({"from_frame": 20}, range(20, 25)),
        ({"from_frame": 25}, range(0)),
        ({"limit": 1}, range(1)),
        ({"limit": 1_000_000, "of": "input"}, range(25)),
    ],
    ids=str,
)
async def test_a_part_of_the_table_can_be_asked_for(api, make, query, expected):
    record = await completed_job(api, make, 25)

    table = await asked(api, record, **query)

    assert table["frame_index"] == list(expected)
    assert table["time_us"] == [time_of(frame) for frame in expected]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/html", "application/json"),
        ("application/json", "application/json"),
        (FRAMES_TYPE, FRAMES_TYPE),
        (f"{FRAMES_TYPE.upper()} , */*", FRAMES_TYPE),
        (f"application/json;q=0.5, {FRAMES_TYPE}", FRAMES_TYPE),
        (f"application/json, {FRAMES_TYPE};q=0.5", "application/json"),
        (f"{FRAMES_TYPE};q=0", "application/json"),
        (f"{FRAMES_TYPE};q=much", "application/json"),
    ],
)
async def test_the_form_is_the_one_that_the_client_accepts(api, make, accept, kind):
    record = await completed_job(api, make, 3)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/frames", headers={"Accept": accept})

    assert answer.headers["content-type"] == kind


async def test_an_ended_job_is_not_sent_again_to_who_has_its_table(api, make):
    record = await completed_job(api, make, 25)
    url = f"/v1/jobs/{record.job_id}/frames"
    tags = [
        (await api.http.get(url, params=query, headers=headers)).headers["etag"]
        for query in ({}, {"limit": 3}, {"from_frame": 3})
        for headers in ({}, BINARY)
    ]

    again = await api.http.get(url, headers={**BINARY, "If-None-Match": tags[1]})
    other = await api.http.get(url, headers={"If-None-Match": tags[1]})

    assert len(set(tags)) == 6
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


async def test_a_table_that_still_grows_has_no_validator(api, make):
    record = await api.put(await running_job(api, make, 10))

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/frames", headers={"If-None-Match": "*"})

    assert answer.status_code == 200
    assert "etag" not in answer.headers


async def test_head_answers_as_get_does(api, make):
    record = await completed_job(api, make, 25)
    url = f"/v1/jobs/{record.job_id}/frames"

    head, got = await api.http.head(url, headers=BINARY), await api.http.get(url, headers=BINARY)

    assert head.status_code == 200
    assert dict(head.headers) == dict(got.headers)


async def test_a_job_of_an_older_version_is_told_to_be_submitted_again(api, make):
    record = await completed_job(api, make, 25, is_timed=False)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/frames")

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")
    text = "was analysed by an older version, which kept no frame times; submit it again"
    assert answer.json()["detail"] == f"job {record.job_id} {text}"


async def test_a_job_whose_rows_are_gone_is_told_as_such(api, make):
    record = await completed_job(api, make, 25)
    await api.store.delete_folder(job_folder(record.job_id))

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/frames")

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


@pytest.mark.parametrize(
    "decode",
    [DecodeFacts(rotation=7, pixel_aspect="wide"), DecodeFacts(rotation=-90, pixel_aspect="1:0")],
    ids=["odd", "without sense"],
)
async def test_odd_facts_of_a_sandbox_spoil_no_table(api, make, decode):
    record = await api.put(await running_job(api, make, 3, decode=decode))

    table = await asked(api, record)

    assert (table["rotation"], table["pixel_aspect"], table["frame_index"]) == (0, None, [0, 1, 2])


async def test_an_unknown_job_is_not_found(api):
    answer = await api.http.get(f"/v1/jobs/{new_job_id()}/frames")

    assert (answer.status_code, answer.json()["code"]) == (404, "JOB_UNKNOWN")


@pytest.mark.parametrize(
    "query",
    ["from_frame=-1", "from_frame=x", "limit=0", "limit=1000001", "of=output", "from=3", "limit=1&limit=2"],
)
async def test_a_bad_parameter_is_refused(api, make, query):
    record = await completed_job(api, make, 3)

    answer = await api.http.get(f"/v1/jobs/{record.job_id}/frames?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")

"""GET /v1/jobs/{job_id}/input and its older name /video."""

import pytest

from forgesyte_chassis.web.keys import KeyRing
from forgesyte_contracts.ids import new_job_id
from forgesyte_contracts.jobs import InputFacts
from forgesyte_contracts.subjects import input_blob
from forgesyte_job_api.settings import JobApiSettings
from tests.support import digest_of

CONTENT = bytes(range(256)) * 40


async def a_job(api, make, **facts):
    facts = {"filename": "clip.mp4", "media_type": "video/mp4", **facts}
    record = await api.put(make.a_record(input=InputFacts(size_bytes=len(CONTENT), **facts)))
    await api.store.put(input_blob(record.job_id), CONTENT)
    return record.job_id


@pytest.mark.parametrize("name", ["input", "video"])
async def test_the_input_comes_back_as_it_was_sent(api, make, name):
    job_id = await a_job(api, make)

    answer = await api.http.get(f"/v1/jobs/{job_id}/{name}")

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline; filename=\"clip.mp4\"; filename*=UTF-8''clip.mp4"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=10-19", 10, 20), ("bytes=10200-", 10200, 10240), ("bytes=-5", 10235, 10240)],
)
async def test_a_part_of_the_input(api, make, asked, start, end):
    job_id = await a_job(api, make)

    answer = await api.http.get(f"/v1/jobs/{job_id}/input", headers={"Range": asked})

    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == str(end - start)


async def test_a_part_that_is_not_there_is_416_and_says_how_large_the_input_is(api, make):
    job_id = await a_job(api, make)

    answer = await api.http.get(f"/v1/jobs/{job_id}/input", headers={"Range": "bytes=10240-"})

    assert answer.status_code == 416
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert "10240 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(("matches", "status"), [(True, 206), (False, 200)], ids=["same copy", "another copy"])
async def test_if_range_asks_for_the_part_only_of_the_same_blob(api, make, matches, status):
    job_id = await a_job(api, make)
    etag = (await api.http.head(f"/v1/jobs/{job_id}/input")).headers["ETag"]

    answer = await api.http.get(
        f"/v1/jobs/{job_id}/input", headers={"Range": "bytes=0-9", "If-Range": etag if matches else '"other"'}
    )

    assert (answer.status_code, len(answer.content)) == (status, 10 if matches else len(CONTENT))


async def test_a_copy_the_client_has_is_not_sent_again(api, make):
    job_id = await a_job(api, make)
    etag = (await api.http.get(f"/v1/jobs/{job_id}/input")).headers["ETag"]

    answer = await api.http.get(f"/v1/jobs/{job_id}/input", headers={"If-None-Match": f'"x", W/{etag}'})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}], ids=["whole", "part"])
async def test_head_gives_the_headers_alone(api, make, headers):
    job_id = await a_job(api, make)
    url = f"/v1/jobs/{job_id}/input"

    head = await api.http.head(url, headers=headers)

    got = await api.http.get(url, headers=headers)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize(
    ("announced", "filename", "served"),
    [
        ("video/webm", "a.webm", "video/webm"),
        ("Video/MP4; codecs=x", None, "video/mp4"),
        ("application/octet-stream", "a.mov", "video/quicktime"),
        ("application/octet-stream", None, "application/octet-stream"),
        ("text/html", "a.html", "application/octet-stream"),
        ("application/xhtml+xml", "a.xhtml", "application/octet-stream"),
        ("image/svg+xml", "a.svg", "application/octet-stream"),
        ("video/mp4\r\nX: y", "a.svg", "application/octet-stream"),
        (None, "a.html", "application/octet-stream"),
        (None, None, "application/octet-stream"),
        ("image/jpeg", "a.html", "image/jpeg"),
    ],
)
async def test_the_type_is_never_one_that_a_browser_runs(api, make, announced, filename, served):
    job_id = await a_job(api, make, media_type=announced, filename=filename)

    answer = await api.http.get(f"/v1/jobs/{job_id}/input")

    assert answer.headers["Content-Type"] == served
    shown = "attachment" if served == "application/octet-stream" else "inline"
    assert answer.headers["Content-Disposition"].startswith(f"{shown};")


async def test_a_name_with_odd_characters_keeps_the_header_whole(api, make):
    job_id = await a_job(api, make, filename='žluť "x"; a\\b.mp4')

    disposition = (await api.http.get(f"/v1/jobs/{job_id}/input")).headers["Content-Disposition"]

    assert disposition.startswith('inline; filename="_lu_ _x_; a_b.mp4"; ')
    assert disposition.endswith("filename*=UTF-8''%C5%BElu%C5%A5%20%22x%22%3B%20a%5Cb.mp4")


async def test_an_unknown_job_and_one_whose_input_is_gone_are_404(api, make):
    gone = (await api.put(make.a_record())).job_id

    answers = [await api.http.get(f"/v1/jobs/{job_id}/input") for job_id in (new_job_id(), gone)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "JOB_UNKNOWN")] * 2
    assert "no longer there" in answers[1].json()["detail"]


async def test_head_needs_the_same_key_as_get(start, make):
    ring = KeyRing.from_settings(JobApiSettings(api_keys=(f"reader:read:{digest_of('reader')}",)))
    async with start(keys=ring) as api:
        url = f"/v1/jobs/{await a_job(api, make)}/input"

        answers = [await api.http.head(url, headers=headers) for headers in ({}, {"X-API-Key": "reader"})]

        assert [answer.status_code for answer in answers] == [401, 200]

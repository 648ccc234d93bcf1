import json
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from forgesyte_chassis.web import problems
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.client.client import ApiClient, SubmitRequest, open_client
from forgesyte_launcher.client.media import open_media

from ..builders import a_job


@asynccontextmanager
async def a_client(path: str, answer, method: str = "GET"):
    """A client of a server with one route."""
    app = Starlette(routes=[Route(path, answer, methods=[method])])
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as http:
        yield ApiClient("http://server", http)


async def test_a_submission_carries_the_video_the_tools_and_the_options(tmp_path):
    video = tmp_path / "a b.mp4"
    video.write_bytes(b"x" * 3_000_000)
    seen: dict[str, object] = {}
    sent: list[int] = []

    async def submit(request: Request) -> Response:
        seen["query"] = request.query_params.multi_items()
        seen["size"] = len(await request.body())
        seen["headers"] = request.headers
        return JSONResponse({"job_id": "the-id"}, 202)

    async with a_client("/v1/video/submit", submit, "POST") as client:
        job = SubmitRequest("motion-detector", ("detect-motion", "track-objects"), {"min_area": 200}, 1)
        async with open_media(str(video)) as media:
            job_id = await client.submit(job, media, on_sent=sent.append)

    assert job_id == "the-id"
    assert ("tool", "track-objects") in seen["query"]
    assert ("filename", "a b.mp4") in seen["query"]
    assert ("video_stream", "1") in seen["query"]
    assert json.loads(dict(seen["query"])["options"]) == {"min_area": 200}
    assert seen["size"] == sent[-1] == 3_000_000
    assert seen["headers"]["content-type"] == "video/mp4"
    assert seen["headers"]["content-length"] == "3000000"


async def test_a_problem_document_becomes_the_error_it_was_made_from():
    async def refuse(_: Request) -> Response:
        raise ForgeSyteError(Code.JOB_UNKNOWN, "There is no such job.")

    async with a_client("/v1/jobs/x", refuse) as client:
        with pytest.raises(ForgeSyteError, match="There is no such job") as caught:
            await client.job("x")

    assert caught.value.code is Code.JOB_UNKNOWN


async def test_a_missing_key_is_reported_with_the_option_for_it():
    async def refuse(_: Request) -> Response:
        raise ForgeSyteError(Code.KEY_MISSING, "Send an API key.")

    async with a_client("/v1/jobs/x", refuse) as client:
        with pytest.raises(ForgeSyteError, match=r"Send an API key\. Pass it with --api-key"):
            await client.job("x")


async def test_an_answer_that_is_not_a_problem_document_is_reported_with_its_status():
    async def proxy(_: Request) -> Response:
        return PlainTextResponse("bad gateway", 502)

    async with a_client("/v1/jobs/x", proxy) as client:
        with pytest.raises(ForgeSyteError, match="502"):
            await client.job("x")


async def test_a_job_is_read_as_the_model_of_the_contract():
    job = a_job(progress=40)

    async def read(_: Request) -> Response:
        return JSONResponse(job.model_dump(mode="json"))

    async with a_client("/v1/jobs/x", read) as client:
        assert await client.job("x") == job


async def test_a_result_is_streamed_into_its_file(tmp_path):
    async def rows(_: Request) -> Response:
        return StreamingResponse(f'{{"frame_index":{n}}}\n' for n in range(1000))

    async with a_client("/v1/jobs/x/result", rows) as client:
        await client.save_result("x", "jsonl", tmp_path / "rows.jsonl")

    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 1000
    assert [file.name for file in tmp_path.iterdir()] == ["rows.jsonl"]


async def test_a_refused_result_leaves_no_file(tmp_path):
    async def refuse(_: Request) -> Response:
        raise ForgeSyteError(Code.JOB_UNFINISHED, "Not yet.")

    async with a_client("/v1/jobs/x/result", refuse) as client:
        with pytest.raises(ForgeSyteError):
            await client.save_result("x", "json", tmp_path / "result.json")

    assert list(tmp_path.iterdir()) == []


async def test_an_unreachable_server_is_reported_with_the_remedy():
    async with open_client("http://127.0.0.1:1") as client:
        with pytest.raises(ForgeSyteError, match="forgesyte up") as caught:
            await client.jobs(limit=1)

    assert caught.value.retryable


@pytest.mark.parametrize("server", ["127.0.0.1:8000", "ftp://host", "", "http://"])
async def test_an_invalid_address_is_refused(server):
    with pytest.raises(ForgeSyteError, match="expected a server such as"):
        async with open_client(server):
            pass

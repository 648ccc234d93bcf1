from typing import Annotated

import httpx
import pytest
import structlog
from fastapi import APIRouter, Body, FastAPI, Query
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from forgesyte_chassis.web.problems import MEDIA_TYPE, install, problem_document, problem_response
from forgesyte_contracts.problems import CODE_FACTS, Code, ForgeSyteError


def an_app(error):
    async def door(_request):
        raise error

    app = Starlette(routes=[Route("/door", door)])
    install(app)
    return app


async def ask(app, path="/door", method="GET"):
    """One request; an exception that leaves the application would be raised here."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.request(method, path)


def test_a_document_has_type_title_status_detail_code_and_data():
    error = ForgeSyteError(Code.PLUGIN_UNKNOWN, "There is no plugin 'x'.", plugin="x", job_id=None)

    assert problem_document(error) == {
        "type": "urn:forgesyte:problem:plugin-unknown",
        "title": CODE_FACTS[Code.PLUGIN_UNKNOWN].title,
        "status": 400,
        "detail": "There is no plugin 'x'.",
        "code": "PLUGIN_UNKNOWN",
        "plugin": "x",
    }


def test_data_never_replaces_what_the_document_says_itself():
    error = ForgeSyteError(Code.JOB_UNKNOWN, "no job", status=200, title="fine")

    assert problem_document(error)["status"] == 404
    assert problem_document(error)["title"] != "fine"


@pytest.mark.parametrize("code", list(Code))
def test_every_code_becomes_a_response_of_its_status(code):
    response = problem_response(ForgeSyteError(code, "text"))

    assert response.status_code == CODE_FACTS[code].status
    assert response.media_type == MEDIA_TYPE
    assert ("retry-after" in response.headers) == CODE_FACTS[code].retryable
    assert ("www-authenticate" in response.headers) == (code is Code.KEY_MISSING)


def test_retry_after_is_what_the_error_knows():
    error = ForgeSyteError(Code.TOO_MANY_REQUESTS, "later", retry_after_s=17)

    assert problem_response(error).headers["retry-after"] == "17"


async def test_our_error_in_a_route_becomes_its_document():
    answer = await ask(an_app(ForgeSyteError(Code.JOB_UNKNOWN, "There is no job j1.", job_id="j1")), "/door")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["job_id"] == "j1"


async def test_an_unknown_exception_is_logged_once_and_never_shown():
    with structlog.testing.capture_logs() as lines:
        answer = await ask(an_app(RuntimeError("the password is swordfish")), "/door")

    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL"
    assert "swordfish" not in answer.text
    assert [line["event"] for line in lines] == ["request failed"]


async def test_our_own_internal_error_keeps_its_text_to_itself_too():
    with structlog.testing.capture_logs() as lines:
        answer = await ask(an_app(ForgeSyteError(Code.INTERNAL, "attempt 3 of runner-x is fenced")), "/door")

    assert "runner-x" not in answer.text
    assert len(lines) == 1


async def test_an_unknown_address_is_a_problem_too():
    answer = await ask(an_app(RuntimeError()), "/nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "ROUTE_UNKNOWN")
    assert "/nowhere" in answer.json()["detail"]


async def test_a_wrong_method_keeps_its_status_and_its_allow_header():
    answer = await ask(an_app(RuntimeError()), method="DELETE")

    assert answer.status_code == answer.json()["status"] == 405
    assert answer.json()["code"] == "REQUEST_INVALID"
    assert "GET" in answer.headers["allow"]


async def test_an_http_exception_keeps_its_own_words():
    answer = await ask(an_app(HTTPException(400, "the body is not multipart")), "/door")

    assert answer.json()["detail"] == "the body is not multipart"


async def test_a_validation_error_of_fastapi_names_the_field():
    app = FastAPI()

    @app.get("/jobs")
    async def jobs(limit: Annotated[int, Query(ge=1, le=100)]) -> int:
        return limit

    install(app)
    answer = await ask(app, "/jobs?limit=500")

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["detail"].startswith("query.limit: ")
    assert answer.json()["errors"][0]["field"] == "query.limit"
    assert answer.json()["field"] == "limit"


async def test_a_validation_error_of_the_body_as_a_whole_has_no_field():
    app = FastAPI()

    @app.post("/jobs")
    async def jobs(body: Annotated[dict[str, int], Body()]) -> int:
        return len(body)

    install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.post("/jobs")

    assert answer.status_code == 422
    assert "field" not in answer.json()


async def test_allow_of_a_405_names_every_method_of_the_path_also_those_of_other_routes():
    router = APIRouter()
    router.add_api_route("/door/{name}", lambda name: name, methods=["GET"])
    router.add_api_route("/door/{name}", lambda name: name, methods=["HEAD"])
    app = FastAPI()
    install(app)
    app.include_router(router)
    app.add_api_route("/door/{other}", lambda other: other, methods=["PUT"])
    app.add_api_route("/window", lambda: 1, methods=["POST"])

    answers = {path: await ask(app, path, "DELETE") for path in ("/door/x", "/window")}

    assert {path: answer.headers["allow"] for path, answer in answers.items()} == {
        "/door/x": "GET, HEAD, PUT",
        "/window": "POST",
    }
    assert answers["/door/x"].json()["code"] == "REQUEST_INVALID"

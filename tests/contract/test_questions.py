"""What the product refuses at its door, on every route of the table: names it does not know, and other sites' pages."""

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from forgesyte_contracts.problems import CODE_FACTS, Code
from forgesyte_contracts.routes import ROUTES, Route
from tests.support import Stack

pytestmark = pytest.mark.slow

JOB = "01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60"
SOCKETS = [route for route in ROUTES if route.has_socket]
ASKED = [route for route in ROUTES if "/ws/" not in route.path]
CHANGING = [route for route in ROUTES if route.method != "GET"]
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx.Client]:
    """One client for all: to make one takes longer than to ask."""
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        yield client


def path_of(route: Route) -> str:
    return route.path.format(job_id=JOB, name="motion-detector")


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ASKED, ids=named)
def test_an_unknown_query_parameter_is_422_on_every_route(http, route):
    answer = http.request(route.method, f"{path_of(route)}?nonsense=1")

    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID")
    assert answer.json()["field"] == "nonsense"
    assert "api_key" in answer.json()["detail"]


@pytest.mark.parametrize("route", ASKED, ids=named)
def test_api_key_is_known_to_every_route_and_may_not_repeat(http, route):
    once = http.request(route.method, f"{path_of(route)}?api_key=k")
    twice = http.request(route.method, f"{path_of(route)}?api_key=k&api_key=k")

    assert once.status_code != 422 or once.json().get("field") != "api_key"
    assert (twice.status_code, twice.json()["field"]) == (422, "api_key")


@pytest.mark.parametrize("route", [route for route in ASKED if route.path != "/v1/realtime"], ids=named)
def test_allow_of_a_405_names_every_method(http, route):
    answer = http.request("DELETE", path_of(route))

    assert (answer.status_code, answer.json()["code"]) == (405, "REQUEST_INVALID")
    assert answer.headers["allow"] == ("GET, HEAD" if route.method == "GET" else "POST")
    for method in answer.headers["allow"].split(", "):
        assert http.request(method, path_of(route)).status_code != 405


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_name_that_was_made_to_point_here_is_answered_nothing(http, route):
    answer = http.request(route.method, path_of(route), headers={"Host": "evil.example:8000"})

    assert (answer.status_code, answer.json()["field"]) == (403, "Host")
    assert "FORGESYTE_LAUNCHER_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("route", CHANGING, ids=named)
@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_changes_nothing(http, route, origin):
    answer = http.request(route.method, path_of(route), headers={"Origin": origin})

    assert (answer.status_code, answer.json()["field"]) == (403, "Origin")
    assert "FORGESYTE_LAUNCHER_ALLOWED_ORIGINS" in answer.json()["detail"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_answer_has_the_security_headers_and_no_permission_for_other_sites(http, route):
    answer = http.request(route.method, path_of(route), headers={"Origin": EVIL})

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_no_answer_to_an_address_that_holds_a_key_is_stored(http, route):
    answer = http.request(route.method, path_of(route), params={"api_key": "secret"})

    assert answer.headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize("route", SOCKETS, ids=named)
@pytest.mark.parametrize(
    ("name", "origin", "field"),
    [
        pytest.param("127.0.0.1", EVIL, "Origin", id="other site"),
        pytest.param("127.0.0.1", "null", "Origin", id="no site"),
        pytest.param("evil.example", None, "Host", id="other name"),
        pytest.param("evil.example", "own", "Host", id="other name, its own page"),
    ],
)
async def test_a_socket_of_another_site_is_refused_before_its_upgrade(stack, route, name, origin, field):
    page = f"http://{name}:{stack.port}" if origin == "own" else origin

    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"ws://{name}:{stack.port}{path_of(route)}", host="127.0.0.1", port=stack.port, origin=page, proxy=None
        )

    document = json.loads(refused.value.response.body)
    assert refused.value.response.status_code == document["status"] == 403
    assert document["field"] == field


@pytest.mark.parametrize("route", SOCKETS, ids=named)
async def test_a_socket_ignores_parameters_that_it_does_not_know(stack, route):
    url = f"ws://127.0.0.1:{stack.port}{path_of(route)}?nonsense=1"

    async with connect(url, proxy=None, origin=stack.url) as socket:
        await socket.send('{"type": "ping"}')
        while json.loads(await socket.recv())["type"] != "pong":
            pass


def test_media_that_a_browser_may_show_runs_nothing(http: httpx.Client, video):
    query = {"plugin_id": "motion-detector", "tool": "detect-motion", "filename": "run.html"}
    sent = {"Content-Type": "video/mp4"}
    job_id = http.post("/v1/video/submit", params=query, headers=sent, content=video.read_bytes()).json()["job_id"]

    answer = http.get(f"/v1/jobs/{job_id}/input")

    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
    assert {"default-src 'none'", "sandbox allow-same-origin", "frame-ancestors 'none'"} <= set(policy)
    assert not any(part.startswith("script-src") for part in policy)


def test_openapi_gives_job_ids_and_the_cursor_their_type(http):
    document = http.get("/openapi.json").json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    parameters = [parameter for operation in operations for parameter in operation.get("parameters", [])]
    ids = [one["schema"] for one in parameters if one["name"] in ("job_id", "cursor")]
    assert len(ids) > 5
    for schema in ids:
        assert "uuid" in [schema.get("format"), *(kind.get("format") for kind in schema.get("anyOf", []))]
    assert document["components"]["schemas"]["JobView"]["properties"]["job_id"]["format"] == "uuid"


def test_every_problem_of_the_document_has_a_code_of_the_enum(http):
    document = http.get("/openapi.json").json()

    assert document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == [code.value for code in Code]
    assert set(CODE_FACTS) == set(Code)

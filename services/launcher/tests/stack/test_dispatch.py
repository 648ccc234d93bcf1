import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route as AppRoute
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY, ROUTES, routes_of
from forgesyte_launcher.stack.dispatch import RouteDispatcher

SOCKETS = [route for route in ROUTES if route.has_socket]


def an_app(service: str) -> Starlette:
    """An application with the service's routes that answers with its name and the route's path."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{service} {request.scope['route'].path}")

    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(service)
        await socket.close()

    own = routes_of(service)
    app = Starlette(routes=[AppRoute(route.path, answer, methods=[route.method]) for route in own])
    if service == REALTIME_GATEWAY:
        app.router.routes.extend(WebSocketRoute(route.path, greet) for route in SOCKETS)
    app.router.redirect_slashes = False
    return app


APPS = {service: an_app(service) for service in (JOB_API, INSPECTOR, REALTIME_GATEWAY)}


@pytest.fixture
def front() -> RouteDispatcher:
    return RouteDispatcher(APPS)


async def ask(front: RouteDispatcher, method: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://edge") as http:
        return await http.request(method, path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_route_of_the_table_is_answered_by_its_service(front, route):
    answer = await ask(front, route.method, route.path.replace("{job_id}", "7").replace("{name}", "ocr"))

    assert answer.text == f"{route.service} {route.path}"


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1/jobs/", "/v1/jobs/7/", "/v1/plugins//health", "/health/", "//"])
async def test_a_path_outside_the_table_is_refused_with_a_problem(front, path):
    answer = await ask(front, "GET", path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "ROUTE_UNKNOWN"


async def test_head_goes_where_get_goes(front):
    assert (await ask(front, "HEAD", "/v1/jobs/7/input")).status_code == 200


async def test_a_known_path_with_another_method_is_refused_by_its_service(front):
    assert (await ask(front, "DELETE", "/v1/plugins")).status_code == 405


async def test_a_path_that_this_process_answers_goes_to_no_service():
    own = RouteDispatcher(APPS, own={"/openapi.json": PlainTextResponse("ours")})

    assert (await ask(own, "GET", "/openapi.json")).text == "ours"
    assert (await ask(own, "GET", "/health")).text == "job-api /health"


async def connect(front: RouteDispatcher, path: str) -> list[dict[str, Any]]:
    """Open a socket as a server would; return what the application sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    extensions: dict[str, Any] = {"websocket.http.response": {}}
    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "extensions": extensions}
    await front(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", [route.path.replace("{job_id}", "7") for route in SOCKETS])
async def test_a_socket_goes_to_the_gateway(front, path):
    sent = await connect(front, path)

    assert [message.get("text") for message in sent] == [None, REALTIME_GATEWAY, None]


@pytest.mark.parametrize("path", ["/nothing", "/v1/jobs", "/ws/jobs", "/asyncapi.json"])
async def test_a_socket_to_another_path_is_refused_in_its_handshake(front, path):
    start, body = await connect(front, path)

    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)
    assert json.loads(body["body"])["code"] == "ROUTE_UNKNOWN"

"""Who is let in by a port on loopback, by one elsewhere, and with which permissions: over real sockets."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from forgesyte_chassis.settings import ProcessSettings
from forgesyte_chassis.web.allowed_pages import AllowedPages
from forgesyte_chassis.web.browser_guard import BrowserGuard
from forgesyte_chassis.web.problems import MEDIA_TYPE
from forgesyte_chassis.web.server import open_listener, serve_http

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
DEV = "http://localhost:5173"


class BoxSettings(ProcessSettings):
    model_config = {"env_prefix": "FORGESYTE_BOX_"}


def an_app():
    async def door(request):
        return PlainTextResponse(f"{request.method} done", headers={"Location": "/there"})

    return Starlette(routes=[Route("/door", door, methods=METHODS)])


ALLOWED = AllowedPages.from_settings(
    BoxSettings(allowed_hosts="box.example, old.example:81", allowed_origins=f"{DEV} https://pages.example")
)


async def ask(method="GET", *, bound_to="127.0.0.1", allowed=ALLOWED, **headers):
    """One request to a guarded application; header names are written with underscores."""
    guarded = BrowserGuard(an_app(), bound_to=bound_to, allowed=allowed)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1:8000") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, "/door", headers=named)


@asynccontextmanager
async def served(app, host="127.0.0.1", **options):
    listener, stopping = open_listener(host, 0), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(app, listener, stopping=stopping, **options))
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()


async def said(port, *lines, version="1.1"):
    """What a server answers to a head that no client library would send: its first line and everything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([f"GET /door HTTP/{version}", *lines, "Connection: close", "", ""]).encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer.partition("\r\n")[0], answer


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:1", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "box.example:9", "old.example:81",
     "localhost.", "localhost.:8000", "localhost:"],
)  # fmt: skip
async def test_a_port_on_loopback_answers_to_names_of_loopback_and_to_allowed_ones(host):
    assert (await ask(host=host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0:8000",
     "192.168.1.5", "old.example:82", "localhost:8000@evil.example", "127.0.0.1, evil.example", "", ".",
     "localhost.localdomain", "localhost.."],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_a_port_on_loopback_refuses_any_other_name_and_says_which_setting_allows_it(host, method):
    answer = await ask(method, host=host)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert (answer.json()["status"], answer.json()["field"]) == (403, "Host")
    assert "allowed_hosts (FORGESYTE_BOX_ALLOWED_HOSTS)" in answer.json()["detail"]


async def test_a_name_of_loopback_beside_another_one_does_not_help():
    guarded = BrowserGuard(an_app(), bound_to="127.0.0.1", allowed=ALLOWED)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1") as client:
        answer = await client.get("/door", headers=[("Host", "localhost"), ("Host", "evil.example")])

    assert answer.status_code == 403


async def test_a_request_without_any_host_is_not_a_browsers():
    async with served(an_app()) as port:
        begun, _ = await said(port, version="1.0")

    assert "200" in begun


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:8001", "http://localhost:8000", "https://127.0.0.1", "null", "",
     "http://127.0.0.1:8000.evil.example", "chrome-extension://abcdefgh", "http://localhost:5174", "file://"],
)  # fmt: skip
async def test_a_page_of_another_site_changes_nothing_and_learns_which_setting_allows_it(method, origin):
    answer = await ask(method, origin=origin)

    assert answer.status_code == 403
    assert (answer.json()["status"], answer.json()["field"]) == (403, "Origin")
    assert "allowed_origins (FORGESYTE_BOX_ALLOWED_ORIGINS)" in answer.json()["detail"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        pytest.param("127.0.0.1:8000", None, id="no browser"),
        pytest.param("127.0.0.1:8000", "http://127.0.0.1:8000", id="own page"),
        pytest.param("localhost", "http://localhost", id="port 80 unwritten"),
        pytest.param("localhost:80", "http://localhost", id="port 80 written once"),
        pytest.param("box.example", "https://box.example", id="behind a proxy with TLS"),
        pytest.param("127.0.0.1:8000", DEV, id="development server"),
    ],
)
async def test_the_services_own_page_and_programs_may_do_everything(host, origin):
    answer = await ask("POST", host=host, **({} if origin is None else {"origin": origin}))

    assert answer.text == "POST done"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_page_of_another_site_may_send_a_read_but_gets_no_permission_to_see_it(method):
    answer = await ask(method, origin="http://evil.example")

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_an_allowed_page_may_read_what_it_gets_and_no_other_page_may():
    answer = await ask("POST", origin=DEV)

    assert answer.headers["access-control-allow-origin"] == DEV
    assert "Location" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_is_answered_for_allowed_pages_alone():
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-api-key, content-type"}

    own = await ask("OPTIONS", origin=DEV, **asked)
    foreign = await ask("OPTIONS", origin="http://evil.example", **asked)

    assert own.status_code == 200
    assert own.headers["access-control-allow-origin"] == DEV
    assert own.headers["access-control-allow-headers"] == "x-api-key, content-type"
    assert "POST" in own.headers["access-control-allow-methods"]
    assert foreign.status_code == 405
    assert not [name for name in foreign.headers if name.startswith("access-control")]


async def test_without_settings_no_page_is_allowed():
    answer = await ask("POST", origin=DEV, allowed=AllowedPages())

    assert answer.status_code == 403
    assert "allowed_origins" in answer.json()["detail"]


async def test_a_port_bound_elsewhere_is_left_to_keys_and_policies():
    probe = await ask(bound_to="0.0.0.0", host="10.1.2.3:9000")
    ingress = await ask("POST", bound_to="::", host="forgesyte.internal", origin="https://forgesyte.example")

    assert (probe.status_code, ingress.status_code) == (200, 200)
    assert not [name for name in ingress.headers if name.startswith("access-control")]


async def test_every_port_is_guarded_by_the_address_it_is_bound_to():
    async with served(an_app()) as local, served(an_app(), "0.0.0.0") as elsewhere:
        refused, text = await said(local, "Host: evil.example")
        taken, _ = await said(elsewhere, "Host: evil.example")

    assert "403" in refused
    assert "x-content-type-options: nosniff" in text.lower(), "refusals have the security headers too"
    assert "200" in taken

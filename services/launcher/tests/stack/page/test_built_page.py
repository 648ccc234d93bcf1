"""The page beside the routes: its document for people, its files for browsers, and nothing at all for programs."""

from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from forgesyte_contracts.routes import INSPECTOR, JOB_API, REALTIME_GATEWAY
from forgesyte_launcher.stack.dispatch import RouteDispatcher
from forgesyte_launcher.stack.page.built_page import BuiltPage
from forgesyte_launcher.stack.page.page_folders import page_folders

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
DOCUMENT, SCRIPT = "<!doctype html><title>ForgeSyte</title>", "export const x = 1;"
APPS = {service: PlainTextResponse(service) for service in (JOB_API, INSPECTOR, REALTIME_GATEWAY)}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built page, and beside its folder what must never be served."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(DOCUMENT)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-yXQ1GxzS.js").write_text(SCRIPT)
    (folder / ".hidden.js").write_text("secret")
    (tmp_path / "secret.js").write_text("secret")
    return folder


@pytest.fixture
def page(built: Path) -> RouteDispatcher:
    return RouteDispatcher(APPS, page=BuiltPage([built.parent / "no such folder", built]))


async def ask(page: RouteDispatcher, path: str, accept: str = BROWSER, *, method: str = "GET", **headers: str):
    """Ask for a path exactly as it is written: httpx would tidy up an URL."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url="http://edge:8000") as http:
        request = http.build_request(method, "/", headers={"Accept": accept, **headers})
        request.url = request.url.copy_with(raw_path=path.encode())
        return await http.send(request)


def is_problem(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/jobs",
        "/jobs/01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60",
        "/plugins",
        "/devices",
        "/no/such/view",
        "/index.html",
    ],
)
@pytest.mark.parametrize("accept", [BROWSER, "text/html", "application/json, TEXT/HTML ; q=0.1"])
async def test_every_address_that_a_person_opens_is_answered_with_the_document(page, path, accept):
    answer = await ask(page, path, accept)

    assert (answer.status_code, answer.text) == (200, DOCUMENT)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-cache", "Accept")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "text/html;q=0", "text/html; q=0.00", ""])
@pytest.mark.parametrize("path", ["/", "/jobs", "/nothing"])
async def test_a_program_is_refused_as_if_there_were_no_page(page, path, accept):
    assert is_problem(await ask(page, path, accept))


@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/v1/jobs/", "/v1/", "/ws", "/ws/jobs", "/assets", "/assets/", "/assets/gone.js", "/v1/x.js"],
)
async def test_a_missing_address_of_the_services_and_a_missing_file_are_problems_for_everyone(page, path):
    assert is_problem(await ask(page, path))


async def test_a_route_of_the_table_is_never_the_page(page):
    assert (await ask(page, "/health")).text == JOB_API
    assert (await ask(page, "/v1/plugins")).text == INSPECTOR


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(page, method):
    assert is_problem(await ask(page, "/", method=method))
    assert is_problem(await ask(page, "/assets/index-yXQ1GxzS.js", method=method))


async def test_a_file_whose_name_changes_with_its_content_is_kept_forever(page):
    answer = await ask(page, "/assets/index-yXQ1GxzS.js", "*/*")

    assert (answer.status_code, answer.text) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_another_file_is_asked_for_again(page):
    answer = await ask(page, "/favicon.svg", "image/*")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/assets/index-yXQ1GxzS.js", "/favicon.svg"])
async def test_head_is_get_without_the_body(page, path):
    get, head = await ask(page, path), await ask(page, path, method="HEAD")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


async def test_what_a_browser_has_already_is_not_sent_again_and_keeps_its_policy(page):
    first = await ask(page, "/")
    again = await ask(page, "/", **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "content-security-policy", "vary"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.js",
        "/assets/../../secret.js",
        "/%2e%2e/secret.js",
        "/assets/%2e%2e%2f%2e%2e%2fsecret.js",
        "/..%5csecret.js",
        "//secret.js",
        "/assets//../../secret.js",
        "/.hidden.js",
        "/assets/%00.js",
        "/link.js",
        "/linked/secret.js",
        f"/{'a' * 5000}.js",
        f"/{'a/' * 2000}a.js",
    ],
)
async def test_nothing_outside_the_folder_and_nothing_hidden_is_served(page, built, path):
    (built / "link.js").symlink_to(built.parent / "secret.js")
    (built / "linked").symlink_to(built.parent)

    answer = await ask(page, path, "*/*")

    assert is_problem(answer)


async def test_the_policy_lets_the_page_use_its_own_origin_and_nothing_else(page):
    policy = (await ask(page, "/")).headers["content-security-policy"]

    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == parts["script-src"] == "'self'"
    assert parts["connect-src"] == "'self' ws://edge:8000 wss://edge:8000"
    assert parts["img-src"] == "'self' data: blob:"
    assert parts["media-src"] == "'self' blob:"
    assert parts["form-action"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "", "[::1]x"])
async def test_a_host_that_is_no_name_does_not_get_into_the_policy(page, host):
    policy = (await ask(page, "/", Host=host)).headers["content-security-policy"]

    assert "connect-src 'self';" in policy
    assert policy.count("script-src") == 1


async def test_without_a_page_a_person_is_told_how_to_build_it(built):
    (built / "index.html").unlink()
    page = RouteDispatcher(APPS, page=BuiltPage([built]))

    answer = await ask(page, "/")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Run <code>make page</code>" in answer.text
    assert is_problem(await ask(page, "/", "*/*"))
    assert is_problem(await ask(page, "/jobs"))


async def test_a_page_that_is_built_while_the_server_runs_is_there_at_once(built):
    (built / "index.html").rename(built / "later")
    page = RouteDispatcher(APPS, page=BuiltPage([built]))
    before = await ask(page, "/")

    (built / "later").rename(built / "index.html")

    assert (before.status_code, (await ask(page, "/")).text) == (404, DOCUMENT)


def test_a_checkout_serves_what_make_page_builds():
    assert page_folders()[-1] == Path(__file__).parents[5] / "web-ui" / "dist"

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from forgesyte_chassis.web.security_headers import SECURITY_HEADERS, SecurityHeaders


async def ask(path):
    async def plain(_request):
        return PlainTextResponse("hello")

    async def own(_request):
        headers = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "private, no-cache"}
        return PlainTextResponse("a page", headers=headers)

    app = SecurityHeaders(Starlette(routes=[Route("/plain", plain), Route("/own", own)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


async def test_every_answer_has_them_also_one_to_an_unknown_path():
    for path in ("/plain", "/nowhere"):
        answer = await ask(path)

        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


async def test_what_a_route_says_itself_stays():
    answer = await ask("/own")

    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/plain", "/own", "/nowhere"])
async def test_nothing_is_stored_under_an_address_that_holds_a_key(path):
    answers = [await ask(f"{path}?{query}") for query in ("api_key=secret", "a=b&api%5Fkey=secret", "api_key=")]

    assert [answer.headers.get_list("cache-control") for answer in answers] == [["no-store"]] * 3


async def test_without_a_key_in_the_address_a_route_says_itself_what_is_stored():
    assert (await ask("/own?key=api_key")).headers["cache-control"] == "private, no-cache"
    assert "cache-control" not in (await ask("/plain")).headers

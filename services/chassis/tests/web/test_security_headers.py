import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from forgesyte_chassis.web.security_headers import SECURITY_HEADERS, SecurityHeaders


async def ask(path):
    async def plain(_request):
        return PlainTextResponse("hello")

    async def own(_request):
        return PlainTextResponse("a page", headers={"Content-Security-Policy": "default-src 'self'"})

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

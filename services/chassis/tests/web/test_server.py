import asyncio

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from forgesyte_chassis.web.problems import install
from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts.problems import Code, ForgeSyteError


def an_app(door):
    app = Starlette(routes=[Route("/door", door)])
    install(app)
    return app


def url_of(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_open_requests_end_before_the_server_does():
    entered, go = asyncio.Event(), asyncio.Event()

    async def door(_request):
        entered.set()
        await go.wait()
        return PlainTextResponse("done")

    listener, stopping = open_listener("127.0.0.1", 0), asyncio.Event()
    async with httpx.AsyncClient(base_url=url_of(listener), timeout=60) as client, asyncio.TaskGroup() as group:
        serving = group.create_task(serve_http(an_app(door), listener, stopping=stopping, grace_s=30))
        answer = group.create_task(client.get("/door"))
        await entered.wait()
        stopping.set()
        go.set()

    assert answer.result().text == "done"
    assert serving.done()
    assert listener.fileno() == -1


@pytest.mark.slow
async def test_a_request_that_does_not_end_is_cut_at_the_grace_limit():
    entered = asyncio.Event()

    async def door(_request):
        entered.set()
        await asyncio.Event().wait()

    listener, stopping = open_listener("127.0.0.1", 0), asyncio.Event()
    async with httpx.AsyncClient(base_url=url_of(listener), timeout=60) as client, asyncio.TaskGroup() as group:
        group.create_task(serve_http(an_app(door), listener, stopping=stopping, grace_s=1))
        answer = group.create_task(client.get("/door"))
        await entered.wait()
        stopping.set()
        await asyncio.wait([answer])

        assert isinstance(answer.exception(), httpx.HTTPError) or answer.result().status_code == 500
        answer.exception()


async def test_cancelling_the_server_closes_its_port():
    async def door(_request):
        return PlainTextResponse("hello")

    listener = open_listener("127.0.0.1", 0)
    url = url_of(listener)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client, asyncio.TaskGroup() as group:
        serving = group.create_task(serve_http(an_app(door), listener, stopping=asyncio.Event()))
        assert (await client.get("/door")).text == "hello"
        serving.cancel()

    assert serving.cancelled()
    async with httpx.AsyncClient(base_url=url) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/door")


async def test_an_exception_behind_the_first_byte_is_logged_and_cuts_the_answer():
    async def chunks():
        yield b"first"
        raise RuntimeError("swordfish")

    async def door(_request):
        return StreamingResponse(chunks())

    listener, stopping = open_listener("127.0.0.1", 0), asyncio.Event()
    with structlog.testing.capture_logs() as lines:
        async with httpx.AsyncClient(base_url=url_of(listener), timeout=60) as client, asyncio.TaskGroup() as group:
            group.create_task(serve_http(an_app(door), listener, stopping=stopping))
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/door")
            stopping.set()

    assert [line["event"] for line in lines] == ["request failed"]


def test_a_taken_port_is_an_error_that_says_so():
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(ForgeSyteError, match=f"port {port} cannot be opened") as caught:
            open_listener("127.0.0.1", port)

    assert caught.value.code is Code.SERVICE_UNAVAILABLE

"""A whole service around a small application: where it answers, and its end in order."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from forgesyte_chassis.background import beside
from forgesyte_chassis.bus import Bus
from forgesyte_chassis.main import Lifetime
from forgesyte_chassis.settings import PublicSettings
from forgesyte_chassis.web.web_service import WebService, serve
from forgesyte_contracts.problems import Code, ForgeSyteError
from tests.support import eventually, nats_server


class RoomSettings(PublicSettings):
    port: int = 0
    ops_port: int = -1


class Room:
    """A service with one answer that goes on until its streams are ended."""

    def __init__(self):
        self.notes = []
        self.streams_ended = asyncio.Event()
        self.service = WebService("room", lambda _bus, _keys, _registry: self.app(), end_streams=self.end_streams)

    def app(self):
        @asynccontextmanager
        async def lifespan(_app):
            self.notes.append("begun")
            yield
            self.notes.append("ended")

        return Starlette(routes=[Route("/stream", self.stream)], lifespan=lifespan)

    async def stream(self, _request):
        async def endless():
            yield b"on"
            await self.streams_ended.wait()
            yield b"off"

        return StreamingResponse(endless())

    async def end_streams(self, _app):
        self.notes.append("streams ended")
        self.streams_ended.set()


@pytest.mark.slow
async def test_streams_end_before_the_server_does_and_the_application_last():
    room = Room()
    async with nats_server() as server, httpx.AsyncClient() as http, asyncio.TaskGroup() as group:
        with structlog.testing.capture_logs() as logs:
            lifetime = Lifetime(group)
            group.create_task(serve(room.service, RoomSettings(bus_url=server.url), lifetime))
            ready = await eventually(lambda: [log for log in logs if log["event"] == "service ready"])
            assert ready[0]["service"] == "room"
            async with http.stream("GET", f"http://127.0.0.1:{ready[0]['port']}/stream") as answer:
                chunks = answer.aiter_raw()
                assert await anext(chunks) == b"on"

                lifetime.stop()

                assert [chunk async for chunk in chunks] == [b"off"]
                room.notes.append("answered")

    assert room.notes == ["begun", "streams ended", "answered", "ended"]


async def test_it_refuses_to_listen_beyond_loopback_without_keys():
    async with asyncio.TaskGroup() as group:
        with pytest.raises(ForgeSyteError) as refused:
            await serve(Room().service, RoomSettings(host="0.0.0.0"), Lifetime(group))

    assert refused.value.code is Code.KEY_MISSING


async def test_the_public_port_of_a_service_answers_to_loopback_names_and_to_those_in_its_settings():
    room = Room()
    async with nats_server() as server, httpx.AsyncClient() as http, asyncio.TaskGroup() as group:
        with structlog.testing.capture_logs() as logs:
            lifetime = Lifetime(group)
            settings = RoomSettings(bus_url=server.url, allowed_hosts="box.example")
            group.create_task(serve(room.service, settings, lifetime))
            ready = await eventually(lambda: [log for log in logs if log["event"] == "service ready"])
            url = f"http://127.0.0.1:{ready[0]['port']}/nowhere"

            names = ("localhost", "box.example", "evil.example")
            answers = [await http.get(url, headers={"Host": name}) for name in names]

            lifetime.stop()

    assert [answer.status_code for answer in answers] == [404, 404, 403]


@pytest.mark.slow
async def test_readiness_asks_the_application_and_whether_the_bus_stores_what_it_is_sent():
    room = Room()
    said = {"storage": "it is full"}
    service = replace(room.service, checks=lambda _app: {"storage": lambda: said["storage"]})
    async with nats_server() as server, httpx.AsyncClient() as http:
        settings = RoomSettings(bus_url=server.url, ops_port=0)
        with structlog.testing.capture_logs() as logs:
            async with beside(hosted(service, settings)):
                await eventually(lambda: [log for log in logs if log["event"] == "service ready"])
                (port,) = [log["port"] for log in logs if log["event"] == "ops port open"]

                async def reasons():
                    return (await http.get(f"http://127.0.0.1:{port}/readyz")).json()["reasons"]

                assert await eventually(reasons) == ["storage: it is full"]
                said["storage"] = True
                await eventually(lambda: is_empty(reasons), what="all is well")

                async with Bus.connect(server.url, name="test") as bus:
                    await bus._main.api("STREAM.DELETE.KV_jobs")

                assert "stores nothing" in (await eventually(reasons, what="the bus takes no records"))[0]


async def hosted(service, settings):
    async with asyncio.TaskGroup() as group:
        await serve(service, settings, Lifetime(group))


async def is_empty(reasons):
    return await reasons() == []

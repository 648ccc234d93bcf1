"""Following a job, over a real HTTP server with a real WebSocket that plays the gateway."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from forgesyte_chassis.web.server import open_listener, serve_http
from forgesyte_contracts.http.jobs import JobView
from forgesyte_contracts.jobs import JobStatus
from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_contracts.realtime import (
    ErrorDetails,
    ErrorPayload,
    PingPayload,
    ProgressPayload,
    ProgressStatus,
    WarningPayload,
    envelope,
)
from forgesyte_launcher.client import watching
from forgesyte_launcher.client.client import open_client
from forgesyte_launcher.client.watching import follow_job, watch_job
from tests.support import eventually

from ..builders import a_job, an_ended_job

UNAVAILABLE = ForgeSyteError(Code.SERVICE_UNAVAILABLE, "no answer")
JOB = a_job()
ENDED = an_ended_job(job_id=JOB.job_id, progress=100)
CLOSED = 1000

Play = Callable[[WebSocket], Awaitable[None]]


class Answers:
    """A client with prepared answers: a record, or an error to raise."""

    def __init__(self, *answers: JobView | ForgeSyteError) -> None:
        self._answers = list(answers)

    async def job(self, job_id: str) -> JobView:
        answer = self._answers.pop(0)
        if isinstance(answer, ForgeSyteError):
            raise answer
        return answer


class View:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.jobs: list[JobView] = []

    def say(self, text: str) -> None:
        self.notes.append(text)

    note = say

    def sent(self, name: str, total_bytes: int, sent_bytes: int) -> None:
        raise AssertionError("a watcher sends nothing")

    def show(self, job: JobView) -> None:
        self.jobs.append(job)

    @property
    def percents(self) -> list[int | None]:
        """Each progress that differs from the previous one."""
        shown = [job.progress for job in self.jobs]
        return [now for before, now in zip([object(), *shown], shown, strict=False) if now != before]


class Server:
    """A server whose job ends when the test, or its WebSocket script, sets has_ended."""

    def __init__(self, *plays: Play) -> None:
        self.plays = list(plays)
        self.since: list[str | None] = []
        self.keys: list[str | None] = []
        self.has_ended = False

    @asynccontextmanager
    async def client(self, *, api_key: str | None = None) -> AsyncIterator[Any]:
        """Serve, and yield a client of the server."""
        routes: list[Any] = [Route("/v1/jobs/{job_id}", self._job)]
        if self.plays:
            routes.append(WebSocketRoute("/v1/realtime", self._socket))
        listener, stop = open_listener("127.0.0.1", 0), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            ws = WebSocketsSansIOProtocol if self.plays else "none"
            group.create_task(serve_http(Starlette(routes=routes), listener, stopping=stop, ws=ws))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                async with open_client(url, api_key=api_key) as client:
                    yield client
            finally:
                stop.set()

    async def _job(self, _: Request) -> JSONResponse:
        return JSONResponse((ENDED if self.has_ended else JOB).model_dump(mode="json"))

    async def _socket(self, socket: WebSocket) -> None:
        self.since.append(socket.query_params.get("since"))
        self.keys.append(socket.headers.get("x-api-key"))
        assert socket.query_params["job_id"] == JOB.job_id
        await self.plays.pop(0)(socket)


def progress(percent: int, status: ProgressStatus = ProgressStatus.RUNNING, seq: int | None = None) -> str:
    payload = ProgressPayload(
        job_id=JOB.job_id,
        status=status,
        progress=percent,
        current_frame=percent,
        total_frames=100,
        current_tool=None,
        tools_total=1,
        tools_completed=0,
    )
    return envelope(payload, seq=seq).decode()


def warning(index: int) -> str:
    return envelope(WarningPayload(job_id=JOB.job_id, index=index, plugin="p", message=f"number {index}")).decode()


def an_error(code: Code) -> str:
    details = ErrorDetails(error_code=code, message="gone")
    return envelope(ErrorPayload(job_id=JOB.job_id, error="x", details=details)).decode()


def sending(*messages: str, then: int | None = CLOSED) -> Play:
    """Accept, send these messages, close with `then`."""

    async def play(socket: WebSocket) -> None:
        await socket.accept()
        for message in messages:
            await socket.send_text(message)
        await socket.close(then)

    return play


def ending(server: Server, *messages: str) -> Play:
    """Send these messages, let the job end, and send its end."""

    async def play(socket: WebSocket) -> None:
        await socket.accept()
        for message in messages:
            await socket.send_text(message)
        server.has_ended = True
        await socket.send_text(progress(100, ProgressStatus.COMPLETED, seq=99))
        await socket.receive()

    return play


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(watching, "POLL_EVERY_S", 0.01)
    monkeypatch.setattr(watching, "RECONNECT_S", (0.0, 0.0))


@pytest.fixture
def view() -> View:
    return View()


async def test_a_job_is_followed_over_the_websocket_to_its_end(view):
    server = Server()
    server.plays.append(ending(server, progress(1), warning(0), progress(50), '{"type": "news"}', "garbage"))

    async with server.client(api_key="secret") as client:
        job = await watch_job(client, JOB.job_id, view)

    assert job.status is JobStatus.COMPLETED
    assert view.percents == [None, 1, 50, 100]
    assert view.notes == ["following over WebSocket", "warning: number 0"]
    assert server.keys == ["secret"]


async def test_a_broken_connection_is_resumed_after_the_last_seq_without_repeats(view):
    server = Server(sending(warning(0), progress(10, seq=7)))
    server.plays.append(ending(server, warning(0), warning(1), progress(20)))

    async with server.client() as client:
        await watch_job(client, JOB.job_id, view)

    assert server.since == [None, "7"]
    assert [note for note in view.notes if note.startswith("warning")] == ["warning: number 0", "warning: number 1"]
    assert "no connection to the gateway (closed with 1000); trying again" in view.notes
    assert view.percents == [None, 10, 20, 100]


async def test_a_ping_is_answered(view):
    server = Server()
    answered: list[str] = []

    async def play(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_bytes(envelope(PingPayload(interval_seconds=30)))
        answered.append(json.loads(await socket.receive_text())["type"])
        server.has_ended = True
        await socket.send_text(progress(100, ProgressStatus.COMPLETED))

    server.plays.append(play)
    async with server.client() as client:
        await watch_job(client, JOB.job_id, view)

    assert answered == ["pong"]


async def refuse_for_now(socket: WebSocket) -> None:
    await socket.send_denial_response(PlainTextResponse("starting", 503))


@pytest.mark.parametrize(
    ("plays", "why"),
    [
        pytest.param([], "/v1/realtime answers 404 to a WebSocket", id="no gateway"),
        pytest.param(
            [sending(then=1008)], "the key lacks the scope stream, which /v1/realtime needs", id="key without the scope"
        ),
        pytest.param([sending(an_error(Code.JOB_UNKNOWN))], "no longer knows the job", id="ended long ago"),
        pytest.param(
            [refuse_for_now] * 3, "cannot be reached (the server answered 503)", id="gateway stays unavailable"
        ),
        pytest.param([sending(progress(1))] * 3, "cannot be reached (closed with 1000)", id="gateway that flaps"),
    ],
)
async def test_without_the_gateway_the_job_is_polled_and_the_note_says_why(view, plays, why):
    server = Server(*plays)

    async with server.client() as client, asyncio.TaskGroup() as group:
        watched = group.create_task(watch_job(client, JOB.job_id, view))
        await eventually(lambda: any("polling" in note for note in view.notes))
        server.has_ended = True
        job = await watched

    assert job.status is JobStatus.COMPLETED
    (note,) = [note for note in view.notes if "polling" in note]
    assert note.startswith("polling every 0.01 s: ")
    assert why in note


async def test_an_ended_job_needs_no_websocket(view):
    server = Server(sending())
    server.has_ended = True

    async with server.client() as client:
        await watch_job(client, JOB.job_id, view)

    assert view.notes == []
    assert server.since == []


async def test_a_short_outage_is_reported_once_and_survived():
    reported: list[ForgeSyteError] = []
    client = Answers(
        a_job(progress=1), UNAVAILABLE, UNAVAILABLE, a_job(progress=2), UNAVAILABLE, an_ended_job(progress=100)
    )

    seen = [job.progress async for job in follow_job(client, "x", on_unavailable=reported.append)]

    assert seen == [1, 2, 100]
    assert reported == [UNAVAILABLE, UNAVAILABLE]


async def test_an_error_that_is_not_retryable_is_raised_at_once():
    unknown = ForgeSyteError(Code.JOB_UNKNOWN, "no such job")

    with pytest.raises(ForgeSyteError, match="no such job"):
        [job async for job in follow_job(Answers(unknown), "x")]


async def test_a_long_outage_ends_the_watch(monkeypatch):
    monkeypatch.setattr(watching, "UNREACHABLE_LIMIT_S", -1.0)

    with pytest.raises(ForgeSyteError, match="no answer"):
        [job async for job in follow_job(Answers(UNAVAILABLE), "x")]

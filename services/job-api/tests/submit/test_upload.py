"""Uploads over a real socket: clients that break off, stand still, or send more than is allowed."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from forgesyte_chassis.web.server import open_listener, serve_http
from tests.support import eventually, job_ids

QUERY = "plugin_id=motion&tool=detect-motion"
RAW_HEAD = f"POST /v1/video/submit?{QUERY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
FORM_HEAD = RAW_HEAD.replace("video/mp4", "multipart/form-data; boundary=the-boundary")


@asynccontextmanager
async def listening(app):
    """Serve the app on a free port."""
    listener = open_listener("127.0.0.1", 0)
    port = listener.getsockname()[1]
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(app, listener, stopping=stopping))
        try:
            yield port
        finally:
            stopping.set()


def files_in(folder) -> list[str]:
    """Every file of store or scratch but the locks, half-written ones included."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def half_a_form(make) -> bytes:
    body = make.form([], ("video", "a.mp4", b"x" * 12_000_000))
    return body[: len(body) // 2]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["raw", "form"])
async def test_a_client_that_breaks_off_leaves_nothing(api, make, tmp_path, kind):
    head, body = (RAW_HEAD, b"x" * 6_000_000) if kind == "raw" else (FORM_HEAD, half_a_form(make))
    async with listening(api.app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Length: 20000000\r\n\r\n".encode() + body)
        await writer.drain()
        await eventually(lambda: files_in(tmp_path / "store"), what="the upload has begun")
        await eventually(lambda: files_in(tmp_path / "scratch"), what="its head is kept")

        writer.transport.abort()

        await eventually(lambda: not files_in(tmp_path), what="nothing of it is left")
    assert await job_ids(api.bus) == []


@pytest.mark.slow
async def test_an_upload_that_stands_still_is_given_up(start, tmp_path):
    async with start(upload_idle_s=0.1) as api, listening(api.app) as port:
        await api.beat()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{RAW_HEAD}Content-Length: 9000\r\n\r\nsome bytes".encode())

        answer = await reader.readline()

        assert b" 422 " in answer
        async with asyncio.timeout(60):
            await reader.readuntil(b"no data arrived")
        assert files_in(tmp_path / "store") == []
        writer.close()


@pytest.mark.slow
async def test_a_large_upload_arrives_whole_and_the_next_request_is_served(api, tmp_path):
    chunk = bytes(range(256)) * 1024

    async def video():
        for _ in range(40):
            yield chunk

    async with listening(api.app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        answer = await http.post(f"/v1/video/submit?{QUERY}", content=video(), headers={"Content-Type": "video/mp4"})
        after = await http.get("/health")

    stored = tmp_path / "store" / "jobs" / answer.json()["job_id"] / "input"
    assert stored.read_bytes() == chunk * 40
    assert after.status_code == 200


@pytest.mark.parametrize("kind", ["raw", "form"])
async def test_too_much_is_refused_in_the_middle_of_the_stream(start, make, tmp_path, kind):
    async with start(max_upload_bytes=100_000) as api, listening(api.app) as port:
        await api.beat()
        body = b"x" * 300_000 if kind == "raw" else make.form([], ("video", "a.mp4", b"x" * 300_000))
        headers = {"Content-Type": "video/mp4"} if kind == "raw" else make.FORM

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            answer = await http.post(f"/v1/video/submit?{QUERY}", content=make.cut(body, 50_000), headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (413, "MEDIA_TOO_LARGE")
        assert "100000" in answer.json()["detail"]
        assert files_in(tmp_path / "store") == []


async def test_a_wrong_plugin_named_before_the_file_is_refused_before_the_file_is_stored(api, make, monkeypatch):
    stored = []

    async def put_stream(*args, **_kwargs):
        stored.append(args)
        return 1

    monkeypatch.setattr(api.store, "put_stream", put_stream)
    body = make.form([("plugin_id", "nope"), ("tool", "x")], ("video", "a.mp4", b"x" * 100_000))

    answer = await api.http.post("/v1/video/submit", content=make.cut(body, 1000), headers=make.FORM)

    assert (answer.status_code, answer.json()["code"]) == (400, "PLUGIN_UNKNOWN")
    assert stored == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["raw", "form"])
async def test_an_upload_cancelled_by_a_shutdown_leaves_nothing(api, make, tmp_path, kind):
    body = b"x" * 6_000_000 if kind == "raw" else half_a_form(make)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        listener = open_listener("127.0.0.1", 0)
        port = listener.getsockname()[1]
        group.create_task(serve_http(api.app, listener, stopping=stopping, grace_s=0))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = RAW_HEAD if kind == "raw" else FORM_HEAD
        writer.write(f"{head}Content-Length: 20000000\r\n\r\n".encode() + body)
        await writer.drain()
        await eventually(lambda: files_in(tmp_path / "store"), what="the upload has begun")

        stopping.set()

    await eventually(lambda: not files_in(tmp_path), what="nothing of it is left")
    writer.close()
    assert await job_ids(api.bus) == []

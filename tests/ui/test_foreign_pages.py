"""What pages of other sites can do to an open server through a real browser: nothing; and its own page: everything.

Every page tries the same: submit (as a program would and as a form), cancel, reload, both sockets, the event stream,
reading the list, showing the media. What it learned is judged, and so is what happened behind it, because a browser
sends much of which it shows nothing.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support import Stack, eventually, make_clip, running_stack

from .chromium import CHROMIUM, Page, open_page

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (Debian: apt-get install chromium)"),
]

PLUGINS = str(Path(__file__).parents[1] / "contract" / "plugins")
EVIL = "evil.example"
RESOLVES_HERE = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
REFUSED = {"TypeError", "403", "opaque", "closed", "not shown", "sent"}
"""All that a page of another site may learn: it was refused, or it got no answer that it could see."""

TRIES = """(async () => {
  const base = %(base)s, job = %(job)s;
  const bytes = Uint8Array.from(atob(%(clip)s), (char) => char.charCodeAt(0));
  const submit = base + "/v1/video/submit?plugin_id=motion-detector&tool=detect-motion";
  const sent = async (url, init) => {
    const answer = await fetch(url, init);
    return answer.type === "opaque" ? "opaque" : String(answer.status);
  };
  const opened = (source, shut) => new Promise((done) => {
    source.onopen = () => { source.close(); done("open"); };
    source[shut] = () => { source.close(); done("closed"); };
  });
  const shown = (crossOrigin) => new Promise((done) => {
    const video = document.createElement("video");
    if (crossOrigin) video.crossOrigin = "anonymous";
    video.onloadeddata = () => done("shown");
    video.onerror = () => done("not shown");
    video.muted = true;
    video.src = base + "/v1/jobs/" + job + "/input";
    video.load();
  });
  const form = () => { const data = new FormData(); data.append("video", new Blob([bytes]), "a.mp4"); return data; };
  const socket = (base || location.origin).replace("http", "ws");
  const tries = {
    "submit": () => sent(submit, {method: "POST", headers: {"Content-Type": "video/mp4"}, body: bytes}),
    "submit a form": () => sent(submit, {method: "POST", body: form()}),
    "submit a form unseen": () => sent(submit, {method: "POST", mode: "no-cors", body: form()}),
    "submit by HTML": () => new Promise((done) => {
      const frame = document.createElement("iframe"), page = document.createElement("form");
      const input = document.createElement("input"), files = new DataTransfer();
      frame.name = "there";
      files.items.add(new File([bytes], "a.mp4", {type: "video/mp4"}));
      Object.assign(input, {type: "file", name: "video"});
      input.files = files.files;
      Object.assign(page, {method: "POST", enctype: "multipart/form-data", action: submit, target: "there"});
      page.append(input);
      document.body.append(frame, page);
      frame.onload = () => done("sent");
      page.submit();
    }),
    "cancel": () => sent(base + "/v1/jobs/" + job + "/cancel", {method: "POST"}),
    "cancel unseen": () => sent(base + "/v1/jobs/" + job + "/cancel", {method: "POST", mode: "no-cors"}),
    "reload": () => sent(base + "/v1/plugins/motion-detector/reload", {method: "POST"}),
    "reload unseen": () => sent(base + "/v1/plugins/motion-detector/reload", {method: "POST", mode: "no-cors"}),
    "realtime": () => opened(new WebSocket(socket + "/v1/realtime?job_id=" + job), "onclose"),
    "flat events": () => opened(new WebSocket(socket + "/ws/jobs/" + job), "onclose"),
    "event stream": () => opened(new EventSource(base + "/v1/realtime?job_id=" + job), "onerror"),
    "read": () => sent(base + "/v1/jobs"),
    "show": () => shown(false),
    "show what it may read": () => shown(true),
  };
  const seen = {};
  for (const [name, does] of Object.entries(tries).filter(([name]) => %(only)s.includes(name) || !%(only)s.length)) {
    try { seen[name] = await does(); } catch (error) { seen[name] = error.name; }
  }
  return seen;
})()"""


Answer = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[int]:
    """Listen on a free port; `answer` gets each request's head."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # a browser hangs up when it likes
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def blank_page(_head: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The page of a site, on which a test runs its script."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<!doctype html><body>")
    await writer.drain()


def rebinding_to(port: int) -> Answer:
    """A name that first leads to the site's own server, and once the page is there to the service: the bytes that the
    browser sends reach it as they are."""

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
        target.close()

    async def answer(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET /page "):
            await blank_page(head, reader, writer)
            return
        there, onward = await asyncio.open_connection("127.0.0.1", port)
        onward.write(head)
        await asyncio.gather(pipe(reader, onward), pipe(there, writer), return_exceptions=True)
        onward.close()

    return answer


async def tried(
    page: Page, url: str, stack: Stack, clip: Path, *, base: str | None = None, only: tuple[str, ...] = ()
) -> dict[str, str]:
    """What the page at `url` learned from its tries against a job that runs, and that job's id."""
    job_id = await stack.submit(clip, "endless", plugin="contract")
    script = TRIES % {
        "base": json.dumps(stack.url if base is None else base),
        "job": json.dumps(job_id),
        "clip": json.dumps(base64.b64encode(clip.read_bytes()).decode()),
        "only": json.dumps(only),
    }
    await eventually(lambda: is_running(stack, job_id), 120, "the job runs")
    await page.go(url)
    seen = await page.run(script)
    print(url, json.dumps(seen, indent=1))
    return {**seen, "job": job_id}


async def is_running(stack: Stack, job_id: str) -> bool:
    return (await stack.job(job_id))["status"] == "running"


async def job_count(stack: Stack) -> int:
    return int((await stack.http.get("/v1/jobs")).json()["count"])


def reloads(stack: Stack) -> int:
    return (stack.data / "logs" / "plugin-runner.log").read_text().count("plugin reloading")


async def test_a_page_of_another_site_and_a_name_made_to_point_here_achieve_nothing(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=30)
    async with (
        running_stack(tmp_path / "data", env={"PYTHONPATH": PLUGINS}, slots=8) as stack,
        answering(blank_page) as site,
        answering(rebinding_to(stack.port)) as rebound,
        open_page(tmp_path / "browser", RESOLVES_HERE) as page,
    ):
        attacks = {
            "another port": (f"http://127.0.0.1:{site}/", None),
            "another site": (f"http://{EVIL}:{site}/", None),
            "a page without an origin": ("data:text/html,<body>", None),
            "another name": (f"http://{EVIL}:{site}/", f"http://{EVIL}:{stack.port}"),
            "a name that changed its address": (f"http://{EVIL}:{rebound}/page", ""),
        }
        for number, (attack, (url, base)) in enumerate(attacks.items()):
            seen = await tried(page, url, stack, clip, base=base)

            assert await is_running(stack, seen.pop("job")), f"{attack} cancelled a job"
            assert set(seen.values()) <= REFUSED, attack
            assert await job_count(stack) == number + 1, f"{attack} submitted a job"
        assert reloads(stack) == 0


EVERYTHING = {
    "submit": "202", "submit a form": "202", "cancel": "200", "reload": "202", "realtime": "open",
    "flat events": "open", "event stream": "open", "read": "200", "show": "shown", "show what it may read": "shown",
}  # fmt: skip


async def test_the_services_own_page_and_an_allowed_one_can_do_everything(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=30)
    only = tuple(EVERYTHING)
    async with answering(blank_page) as dev_server:
        env = {"PYTHONPATH": PLUGINS, "FORGESYTE_LAUNCHER_ALLOWED_ORIGINS": f"http://localhost:{dev_server}"}
        async with (
            running_stack(tmp_path / "data", env=env, slots=8) as stack,
            open_page(tmp_path / "browser", RESOLVES_HERE) as page,
        ):
            own = await tried(page, f"{stack.url}/health", stack, clip, base="", only=only)
            own_job = await stack.ended(own.pop("job"))
            other = await tried(page, f"http://localhost:{dev_server}/", stack, clip, only=only)
            other_job = await stack.ended(other.pop("job"))
            jobs = await job_count(stack)
            stranger = await tried(page, f"http://127.0.0.1:{dev_server}/", stack, clip)

            assert own == EVERYTHING
            # The media of another site is shown only where the page asks for permission (crossorigin).
            assert other == EVERYTHING | {"show": "not shown"}
            assert (own_job["status"], other_job["status"]) == ("cancelled", "cancelled")
            assert jobs == 2 + 2 * 2
            assert reloads(stack) == 2
            assert await is_running(stack, stranger.pop("job")), "an origin is its name and its port"
            assert set(stranger.values()) <= REFUSED


SCRIPT = """(() => {
  const script = document.createElement("script");
  script.textContent = "window.hasRun = true";
  document.documentElement.append(script);
  return window.hasRun === undefined;
})()"""
"""Adds a script to the page and tells whether it stays silent."""


async def test_a_browser_still_shows_the_media_of_a_job_by_itself_and_runs_nothing_in_it(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=30)
    async with running_stack(tmp_path / "data") as stack, open_page(tmp_path / "browser") as page:
        job_id = await stack.submit(clip, "detect-motion", plugin="motion-detector")
        await stack.ended(job_id)
        for path in (f"/v1/jobs/{job_id}/input", f"/v1/jobs/{job_id}/result?format=mp4"):
            await page.go(stack.url + path, is_policy_kept=True)

            async def is_shown() -> bool:
                return bool(await page.run("document.querySelector('video')?.readyState >= 2"))

            await eventually(is_shown, 60, f"the browser shows {path}")
            assert await page.run(SCRIPT) is True

"""A whole run of a real video, watched through both sockets and as server-sent events by three independent clients.

The only slot is taken by a job that waits at a gate until all clients watch, so that each hears the run from its start.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect

from forgesyte_contracts.realtime import parse_message
from tests.realtime.watchers import (
    LIMIT_S,
    OPTIONS,
    address,
    assert_agrees,
    assert_conforms,
    assert_never_falls,
    hear_until,
    heard_at_once,
    readable,
    served_schemas,
)
from tests.support import Stack, eventually, make_clip, meeting_point, running_stack
from tests.support.gateway import Message, is_ending

CARS = Path(__file__).parents[3] / "shared" / "video" / "car-detection.mp4"
FRAMES = 377
MUST_ARRIVE = ("plugin_status", "warning", "error")

pytestmark = [
    pytest.mark.long,
    pytest.mark.shared_video,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here (Debian: apt install curl)"),
    pytest.mark.skipif(not CARS.exists(), reason="the real videos are not beside this checkout"),
]


def is_metadata(message: Message) -> bool:
    """Whether it is plugin metadata: the first messages, and the only ones until the job begins."""
    return message["type"] == "metadata"


@dataclass
class Run:
    """What the three clients of one run received."""

    stack: Stack
    job_id: str = ""
    socket: list[Message] = field(default_factory=list)
    flat: list[Message] = field(default_factory=list)
    stream: list[tuple[str | None, Message]] = field(default_factory=list)
    was_readable: list[bool] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)

    async def watch_socket(self) -> None:
        """The library websockets on /v1/realtime; it stays a little after the ending."""
        async with connect(address(self.stack, self.job_id), **OPTIONS) as socket:
            self.socket += await hear_until(socket, is_metadata)
            self.joined.add("socket")
            self.socket += await hear_until(socket, is_ending)
            self.was_readable.append(await readable(self.stack, self.job_id))
            await socket.send('{"type": "ping"}')
            self.socket += await hear_until(socket, lambda message: message["type"] == "pong")

    async def watch_flat(self) -> None:
        """aiohttp on /ws/jobs/{job_id}."""
        url = f"{self.stack.url}/ws/jobs/{self.job_id}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            self.joined.add("flat socket")
            async with asyncio.timeout(LIMIT_S):
                while not (self.flat and is_ending(self.flat[-1])):
                    self.flat.append(await socket.receive_json())
                self.was_readable.append(await readable(self.stack, self.job_id))
                await socket.send_json({"type": "ping"})
                self.flat.append(await socket.receive_json())

    async def watch_stream(self) -> None:
        """curl -N on the server-sent events."""
        url = f"{self.stack.url}/v1/realtime?job_id={self.job_id}"
        command = ("curl", "-sN", "--noproxy", "*", "-H", "Accept: text/event-stream", url)
        curl = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=1 << 20)
        assert curl.stdout
        try:
            async with asyncio.timeout(LIMIT_S):
                event: dict[str, str] = {}
                while not (self.stream and is_ending(self.stream[-1][1])):
                    name, _, value = (await curl.stdout.readline()).decode().rstrip("\n").partition(": ")
                    if name in ("id", "data"):
                        event[name] = value
                    elif "data" in event:
                        self.stream.append((event.get("id"), json.loads(event["data"])))
                        event = {}
                        self.joined.add("event stream")
        finally:
            curl.kill()
            await curl.wait()


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "data", slots=1) as stack:
        yield stack


async def watched(stack: Stack, folder: Path, video: Path, tool: str) -> Run:
    """Run a video that all three clients watch from before its start to its ending."""
    gate, reached = meeting_point("gate"), meeting_point("reached")
    clip = make_clip(folder / "clip.mp4", frames=3)
    first = await stack.submit(clip, "gate", at=1, gate=str(gate), reached=str(reached))
    await eventually(reached.exists, 60, "the slot is taken")
    run = Run(stack, await stack.submit(video, tool, "motion-detector"))
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        for watch in (run.watch_socket, run.watch_flat, run.watch_stream):
            group.create_task(watch())
        await eventually(lambda: len(run.joined) == 3, what="all clients watch")
        gate.touch()
    await stack.ended(first)
    return run


async def test_a_whole_run_over_both_sockets_and_the_event_stream(stack, tmp_path):
    schemas = await served_schemas(stack)

    run = await watched(stack, tmp_path, CARS, "detect-motion")

    job = await stack.job(run.job_id)
    heard = [message for message in run.socket if message["type"] != "pong"]
    streamed = [message for _, message in run.stream]
    for messages in (heard, streamed):
        assert_conforms(messages, run.job_id, schemas)
        assert_agrees(messages, job)
        for message in messages:
            parse_message(json.dumps(message))
    assert_is_the_whole_run(heard, job)
    assert [message for message in heard if message["type"] in MUST_ARRIVE and "seq" in message] == [
        message for message in streamed if message["type"] in MUST_ARRIVE and "seq" in message
    ], "what must arrive is the same for both"
    assert [event_id for event_id, _ in run.stream] == [
        str(message["seq"]) if "seq" in message else None for message in streamed
    ]
    assert run.was_readable == [True, True], "once the ending is sent, the result can be read"
    assert_flat_conforms(run.flat, run.job_id)
    assert_live_conforms(heard)


def assert_is_the_whole_run(messages: list[Message], job: Message) -> None:
    ending = messages[-1]["payload"]
    assert (ending["status"], ending["progress"], ending["current_frame"]) == ("completed", 100, FRAMES)
    assert (job["status"], job["total_frames"]) == ("completed", FRAMES)
    running = [message["payload"] for message in messages if message["type"] == "progress"][:-1]
    assert len(running) > 3, "several on the way; a busy machine may coalesce most of 30 per second"
    assert max(payload["progress"] for payload in running) <= 99, "100 belongs to the ending"
    statuses = [message["payload"]["status"] for message in messages if message["type"] == "plugin_status"]
    assert (statuses[0], statuses[-1]) == ("started", "completed")
    assert list(dict.fromkeys(statuses)) == ["started", "running", "completed"]
    assert statuses.count("completed") == 1


def assert_flat_conforms(messages: list[Message], job_id: str) -> None:
    *events, ending, pong = messages
    assert (ending, pong) == ({"status": "completed", "job_id": job_id}, {"type": "pong"})
    optional = {"current_tool", "tools_total", "tools_completed"}
    for event in events:
        assert set(event) - optional == {"job_id", "current_frame", "total_frames", "percent"}
        assert event["job_id"] == job_id
        if event["total_frames"]:
            assert event["percent"] == 100 * event["current_frame"] // event["total_frames"]
    assert_never_falls([event["percent"] for event in events])
    assert_never_falls([event["current_frame"] for event in events])
    assert (events[-1]["current_frame"], events[-1]["percent"]) == (FRAMES, 100)


def assert_live_conforms(messages: list[Message]) -> None:
    """Live messages carry no seq; frames come in order with their boxes inside the picture."""
    live = [message for message in messages if message["type"] in ("frame", "partial_result")]
    assert not [message for message in live if "seq" in message]
    assert {message["type"] for message in live} == {"frame", "partial_result"}
    frames = [message["payload"] for message in live if message["type"] == "frame"]
    assert_never_falls([frame["frame_index"] for frame in frames])
    for frame in frames:
        data = frame["data"]
        assert (data["width"], data["height"]) == (768, 432)
        for box in data["boxes"]:
            assert 0 <= box["x"] <= box["x"] + box["width"] <= data["width"] + 1
            assert 0 <= box["y"] <= box["y"] + box["height"] <= data["height"] + 1
    assert any(frame["data"]["boxes"] for frame in frames), "cars were seen"


async def test_a_client_that_joins_after_the_ending_gets_it_at_once_and_one_that_has_it_gets_nothing(stack, tmp_path):
    run = await watched(stack, tmp_path, CARS, "track-objects")

    heard = await heard_at_once(stack, run.job_id)
    again = await heard_at_once(stack, run.job_id, since=heard[-1]["seq"])

    kinds = [message["type"] for message in heard]
    assert (kinds[0], kinds[-1], set(kinds[1:-1]) <= {"warning"}) == ("plugin_status", "progress", True)
    assert heard[-1] | {"timestamp": ""} == run.socket[-2] | {"timestamp": ""}
    assert again == []

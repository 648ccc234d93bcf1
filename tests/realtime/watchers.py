"""Clients of a running product for the tests of this folder, and what must hold of everything a client received."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.support import Stack
from tests.support.gateway import Message, is_ending

LIMIT_S = 180.0
OPTIONS: dict[str, Any] = {"proxy": None, "compression": None, "max_size": None, "open_timeout": 30}
TRY_AGAIN_S = 0.1


async def served_schemas(stack: Stack) -> dict[str, Draft202012Validator]:
    """The schemas as the running gateway describes them."""
    answer = await stack.http.get("/v1/realtime")
    assert answer.status_code == 200, answer.text
    return {kind: Draft202012Validator(schema) for kind, schema in answer.json()["server_messages"].items()}


def address(stack: Stack, job_id: str, *, is_flat: bool = False, since: int | None = None) -> str:
    if is_flat:
        return f"ws://127.0.0.1:{stack.port}/ws/jobs/{job_id}"
    return f"ws://127.0.0.1:{stack.port}/v1/realtime?job_id={job_id}" + (f"&since={since}" if since else "")


class Watcher:
    """A good client: it answers pings, reconnects with its last seq, and leaves after the ending."""

    def __init__(self, stack: Stack, job_id: str, *, is_flat: bool = False) -> None:
        self.connections: list[list[Message]] = []
        self.seq: int | None = None
        self._stack = stack
        self._job_id = job_id
        self._is_flat = is_flat
        self._socket: ClientConnection | None = None
        self._may_connect = asyncio.Event()
        self._may_connect.set()

    @property
    def heard(self) -> list[Message]:
        """Everything but pings, over all connections."""
        return [message for connection in self.connections for message in connection]

    @property
    def endings(self) -> list[Message]:
        return [message for message in self.heard if is_ending(message)]

    async def follow(self) -> None:
        """Listen until the ending."""
        async with asyncio.timeout(LIMIT_S):
            while not self.endings:
                await self._may_connect.wait()
                await self._one_connection()
                await asyncio.sleep(TRY_AGAIN_S)

    async def _one_connection(self) -> None:
        where = address(self._stack, self._job_id, is_flat=self._is_flat, since=self.seq)
        try:
            async with connect(where, **OPTIONS) as self._socket:
                self.connections.append([])
                async for text in self._socket:
                    message = json.loads(text)
                    if message.get("type") == "ping":
                        await self._socket.send('{"type": "pong"}')
                        continue
                    self.connections[-1].append(message)
                    self.seq = message.get("seq", self.seq)
                    if is_ending(message):
                        return
        except (OSError, WebSocketException):
            return  # it comes back

    async def cut(self) -> None:
        """Lose the connection, and stay away until back() is called."""
        self._may_connect.clear()
        if self._socket is not None:
            await self._socket.close()

    def back(self) -> None:
        """Come back."""
        self._may_connect.set()


async def hear(socket: ClientConnection) -> Message:
    """The next message; a ping is answered."""
    async with asyncio.timeout(LIMIT_S):
        message = json.loads(await socket.recv())
        if message.get("type") == "ping":
            await socket.send('{"type": "pong"}')
        return message


async def hear_until(socket: ClientConnection, is_last: Callable[[Message], bool]) -> list[Message]:
    """All messages up to the first that `is_last`."""
    heard = [await hear(socket)]
    while not is_last(heard[-1]):
        heard.append(await hear(socket))
    return heard


async def heard_at_once(stack: Stack, job_id: str, since: int | None = None) -> list[Message]:
    """Return what a client that joins now receives, up to the answer to its first ping; metadata is left out."""
    async with connect(address(stack, job_id, since=since), **OPTIONS) as socket:
        heard: list[Message] = []
        if since is None:
            heard += await hear_until(socket, is_ending)
        await socket.send('{"type": "ping"}')
        heard += await hear_until(socket, lambda message: message["type"] == "pong")
    return [message for message in heard if message["type"] not in ("metadata", "pong")]


def assert_conforms(messages: list[Message], job_id: str, schemas: dict[str, Draft202012Validator]) -> None:
    """Check everything that one connection to /v1/realtime received about one job that ended."""
    for message in messages:
        schemas[message["type"]].validate(message)
    kinds = [message["type"] for message in messages if message["type"] not in ("ping", "pong")]
    introduced = kinds.index(next(kind for kind in kinds if kind != "metadata"))
    assert "metadata" not in kinds[introduced:], "the plugins are introduced first, and once"
    of_job = [message for message in messages if "job_id" in message["payload"]]
    assert {message["payload"]["job_id"] for message in of_job} == {job_id}, "no other job's"
    assert of_job[0]["type"] == "plugin_status", "the state begins with how the plugin fares"
    assert_never_falls([m["payload"]["progress"] for m in of_job if m["type"] == "progress"])
    assert_never_falls([message["seq"] for message in of_job if "seq" in message])
    indexes = [message["payload"]["index"] for message in of_job if message["type"] == "warning"]
    assert indexes == sorted(set(indexes)), "each warning once, in order"
    assert [is_ending(message) for message in of_job].count(True) == 1
    assert is_ending(of_job[-1]), "nothing about the job follows its ending"
    errors = [place for place, message in enumerate(of_job) if message["type"] == "error"]
    failed = of_job[-1]["payload"]["status"] != "completed"
    assert errors == ([len(of_job) - 2] if failed else []), "the error stands before its ending and nowhere else"


def assert_never_falls(values: list[int | None]) -> None:
    known = [value for value in values if value is not None]
    assert known == sorted(known)


def assert_agrees(messages: list[Message], job: Message) -> None:
    """Check that the last messages agree with the extended job."""
    ending = messages[-1]["payload"]
    shared = ("job_id", "status", "progress", "current_frame", "total_frames", "tools_completed")
    assert {name: ending[name] for name in shared} == {name: job[name] for name in shared}
    status = [message["payload"] for message in messages if message["type"] == "plugin_status"][-1]
    assert (status["device_used"], status["warnings_count"]) == (job["device_used"], len(job["warnings"]))
    assert status["status"] == job["status"]
    for message in messages:
        if message["type"] == "error":
            details = message["payload"]["details"]
            assert (details["error_code"], details["message"]) == (job["error_code"], job["error_message"])


async def readable(stack: Stack, job_id: str) -> bool:
    """Whether the job's result can be read now."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=30, trust_env=False) as http:
        return (await http.get(f"/v1/jobs/{job_id}/result", params={"limit": 1})).status_code == 200

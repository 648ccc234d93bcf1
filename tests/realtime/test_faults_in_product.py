"""Break every part of a running product while clients watch: some connected before the fault, one that loses its
connection during it, and some that come after it. Each gets the right ending once, in agreement with the extended job.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.realtime.watchers import (
    Watcher,
    assert_agrees,
    assert_conforms,
    assert_never_falls,
    heard_at_once,
    served_schemas,
)
from tests.stability.workbench import PLUGINS as MISBEHAVING
from tests.support import TEST_PLUGINS, Stack, alive, eventually, make_clip, meeting_point, running_stack
from tests.support.gateway import Message, is_ending

FRAMES = 60
STOP_AT = 30
ENV = {"FORGESYTE_LAUNCHER_DRAIN_S": "2"}

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "data", env=ENV) as stack:
        yield stack


class Gated:
    """A job that waits in the middle of its video until the test opens its gate."""

    def __init__(self, folder: Path) -> None:
        self.gate, self.reached = meeting_point("gate"), meeting_point("reached")
        self.job_id = ""

    async def submit(self, stack: Stack, clip: Path) -> "Gated":
        self.job_id = await stack.submit(clip, "gate", at=STOP_AT, gate=str(self.gate), reached=str(self.reached))
        await self.sandbox()
        return self

    async def sandbox(self) -> psutil.Process:
        """Return the sandbox that waits at the gate now; the next call waits for the next sandbox."""
        pid = await eventually(lambda: self.reached.exists() and self.reached.read_text(), 120, "mid-job")
        self.reached.unlink()
        return psutil.Process(int(pid))

    def let_go(self) -> None:
        self.gate.touch()


class Watched:
    """One job and all of its watchers."""

    def __init__(self, stack: Stack, job_id: str, group: asyncio.TaskGroup) -> None:
        self.before = Watcher(stack, job_id)
        self.cut = Watcher(stack, job_id)
        self.after = Watcher(stack, job_id)
        self.flat_before = Watcher(stack, job_id, is_flat=True)
        self.flat_after = Watcher(stack, job_id, is_flat=True)
        self._group = group

    async def come(self, *watchers: Watcher) -> None:
        for watcher in watchers:
            self._group.create_task(watcher.follow())
        await eventually(lambda: all(watcher.connections for watcher in watchers), 60, "they are connected")

    async def go_on(self) -> None:
        """After the fault: let the watcher that was cut off come back, and new ones come."""
        self.cut.back()
        await self.come(self.after, self.flat_after)


@asynccontextmanager
async def watching(stack: Stack, job_id: str) -> AsyncIterator[Watched]:
    """Watch a job; the fault happens within the block, and at its end every watcher has the ending."""
    async with asyncio.TaskGroup() as group:
        watched = Watched(stack, job_id, group)
        await watched.come(watched.before, watched.cut, watched.flat_before)
        await eventually(lambda: watched.before.heard and watched.cut.heard, 60, "both have the state")
        await watched.cut.cut()
        yield watched


async def assert_all_have_the_ending(stack: Stack, watched: Watched, job: Message) -> None:
    """Check that every watcher got the right ending once, that a new client gets it too, and none gets it twice."""
    schemas = await served_schemas(stack)
    for watcher in (watched.before, watched.cut, watched.after):
        for message in watcher.heard:
            schemas[message["type"]].validate(message)
        for connection in watcher.connections:
            assert_never_falls([m["payload"]["progress"] for m in connection if m["type"] == "progress"])
        assert [is_ending(message) for message in watcher.heard].count(True) == 1
        assert is_ending(watcher.heard[-1])
        assert ("error" in {m["type"] for m in watcher.heard}) == (job["status"] != "completed")
        assert_agrees(watcher.heard, job)
        assert await heard_at_once(stack, job["job_id"], since=watcher.seq) == [], "no ending comes twice"
    for watcher in (watched.flat_before, watched.flat_after):
        assert [message for message in watcher.heard if is_ending(message)] == [flat_ending(job)]
        for connection in watcher.connections:
            assert_never_falls([message["percent"] for message in connection if "percent" in message])
    fresh = await heard_at_once(stack, job["job_id"])
    assert_conforms(fresh, job["job_id"], schemas)
    assert_agrees(fresh, job)


def flat_ending(job: Message) -> Message:
    if job["status"] == "failed":
        return {"status": "error", "job_id": job["job_id"], "message": job["error_message"]}
    return {"status": job["status"], "job_id": job["job_id"]}


def outcomes(job: Message) -> list[str]:
    return [attempt["outcome"] for attempt in job["attempts"]]


async def test_nats_server_is_killed(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        nats = stack.nats()
        nats.kill()
        await eventually(lambda: not alive([nats]))
        await watched.go_on()
        await eventually(lambda: stack.find("nats-server"), 90, "nats-server was started again")
        gated.let_go()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["succeeded"])
    await assert_all_have_the_ending(stack, watched, job)
    assert len(watched.before.connections) == 1, "the bus was gone, the sockets stayed"


async def test_nats_server_is_stopped_and_goes_on(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        nats = stack.nats()
        nats.suspend()
        await watched.go_on()
        gated.let_go()
        nats.resume()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["succeeded"])
    await assert_all_have_the_ending(stack, watched, job)


async def test_the_runner_is_killed(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        stack.runner().kill()
        await gated.sandbox()
        await watched.go_on()
        gated.let_go()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["surroundings", "succeeded"])
    await assert_all_have_the_ending(stack, watched, job)
    statuses = [m["payload"]["status"] for m in watched.before.heard if m["type"] == "plugin_status"]
    assert "degraded" in statuses, "a death on the way shows"


async def test_the_gateway_is_killed_with_all_the_rest_and_started_again(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        tree = stack.kill()
        await eventually(lambda: not alive(tree))
        await stack.start()
        await watched.go_on()
        gated.let_go()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["surroundings", "succeeded"])
    await assert_all_have_the_ending(stack, watched, job)
    assert len(watched.before.connections) > 1, "it came back by itself"


async def test_the_service_stops_in_order_and_is_started_again(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        assert await stack.interrupt() == 0
        await stack.start()
        await watched.go_on()
        gated.let_go()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["released", "succeeded"])
    await assert_all_have_the_ending(stack, watched, job)


async def test_the_job_is_cancelled(stack, clip, tmp_path):
    gated = await Gated(tmp_path).submit(stack, clip)
    async with watching(stack, gated.job_id) as watched:
        answer = await stack.http.post(f"/v1/jobs/{gated.job_id}/cancel")
        assert answer.status_code == 200, answer.text
        await watched.go_on()

    job = await stack.ended(gated.job_id)
    assert (job["status"], job["error_code"]) == ("cancelled", "CANCELLED")
    await assert_all_have_the_ending(stack, watched, job)


async def test_the_plugin_hangs_until_it_is_killed(tmp_path, clip):
    async with running_stack(tmp_path / "data", env={"FORGESYTE_RUNNER_FRAME_TIMEOUT_S": "3"}) as stack:
        job_id = await stack.submit(clip, "hang", at=STOP_AT)
        async with watching(stack, job_id) as watched:
            job = await stack.ended(job_id)
            await watched.go_on()

        assert (job["status"], job["error_code"]) == ("failed", "PLUGIN_TIMEOUT")
        assert outcomes(job) == ["timeout", "timeout"]
        await assert_all_have_the_ending(stack, watched, job)


async def test_the_sandbox_crashes_once_and_the_job_goes_on(stack, clip, tmp_path):
    gated = Gated(tmp_path)
    gated.job_id = await stack.submit(clip, "gate", at=STOP_AT, gate=str(gated.gate), reached=str(gated.reached))
    sandbox = await gated.sandbox()
    async with watching(stack, gated.job_id) as watched:
        sandbox.kill()
        await gated.sandbox()
        await watched.go_on()
        gated.let_go()
        job = await stack.ended(gated.job_id)

    assert (job["status"], outcomes(job)) == ("completed", ["crashed", "succeeded"])
    await assert_all_have_the_ending(stack, watched, job)


@pytest.mark.parametrize(
    ("plugin", "code", "outcome"),
    [
        pytest.param("segfaults", "PLUGIN_CRASH", "crashed", id="crash"),
        pytest.param("takes-8-gib-of-zeros", "PLUGIN_OOM", "oom", id="oom"),
        pytest.param("raises", "PLUGIN_ERROR", "failed", id="raise"),
    ],
)
async def test_the_plugin_fails(tmp_path, clip, plugin, code, outcome):
    env = {
        "PYTHONPATH": os.pathsep.join((TEST_PLUGINS, str(MISBEHAVING))),
        "FORGESYTE_RUNNER_PLUGINS": f"probe,{plugin}",
    }
    async with running_stack(tmp_path / "data", slots=1, env=env) as stack:
        first = await Gated(tmp_path).submit(stack, clip)  # the only slot is taken until every watcher is there
        job_id = await stack.submit(clip, "misbehave", plugin)
        async with watching(stack, job_id) as watched:
            first.let_go()
            job = await stack.ended(job_id)
            await watched.go_on()

        assert (job["status"], job["error_code"]) == ("failed", code)
        assert set(outcomes(job)) == {outcome}
        await assert_all_have_the_ending(stack, watched, job)
